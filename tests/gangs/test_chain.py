"""Four files applied at once: pretrained, fine-tuned, distilled, served."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.namespaces import Namespace
from tests.gangs.jobs import FINISHED, Applied
from tests.gangs.servers import ask, ready

STEPS = {
    "chain-reader": "PretrainJob",
    "chain-judge": "TransferJob",
    "chain-student": "DistillJob",
}


def test_a_model_goes_from_plain_text_to_a_service_without_a_hand(
    space: Namespace, store: Path, root: Path
):
    space.kubectl("apply", "-f", str(root / "examples" / "04-chain"))
    jobs = [Applied(space=space, name=name, kind=kind) for name, kind in STEPS.items()]
    ended = [job.phase("Complete", seconds=FINISHED) for job in jobs]
    reader, judge, student = (status["artefact"] for status in ended)
    assert [pin["digest"] for pin in ended[1]["references"]] == [reader["digest"]]
    assert [pin["digest"] for pin in ended[2]["references"]] == [judge["digest"]]
    assert ended[2]["comparison"]["metric"] == "accuracy"
    served = ready(Applied(space=space, name="chain", kind="ServeDeployment"))
    assert served["model"]["digest"] == student["digest"]
    assert served["display"]["ready"] == "2/2"
    good, bad = ask(space, "chain", "It works perfectly, I love it.", "It broke at once. Awful.")
    assert (good["label"], bad["label"]) == ("positive", "negative")
