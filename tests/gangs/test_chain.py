"""Files applied at once: pretrained, fine-tuned, distilled, served."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.namespaces import Namespace
from tests.cluster.storage import CLAIM
from tests.gangs.jobs import FINISHED, Applied
from tests.gangs.servers import ask, ready

WISH = os.environ.get("GRAFT_TEST_CHAIN", "")  # full, or a number: the most steps of a job
MOST = int(WISH) if WISH.isdigit() else None
DATA = f"pvc://{CLAIM}/data/"
LONG = 2400.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A folder of examples, and a text of praise and one of blame with what they are called."""

    folder: str
    texts: tuple[str, str]
    labels: tuple[str, str] = ("positive", "negative")
    patience: float = FINISHED


SHIPPED = Chain(
    folder="04-chain", texts=("It works perfectly, I love it.", "It broke at once. Awful.")
)
REAL = (
    Chain(
        folder="08-chain-en",
        texts=(
            "a film that stays with you long after the lights go up",
            "two hours that i will never get back",
        ),
        patience=LONG,
    ),
    Chain(
        folder="07-chain-zh",
        texts=("音质很好，送货也快，很满意", "用了两天就坏了，客服也不理人"),
        labels=("Positive", "Negative"),
        patience=LONG,
    ),
)
CHAINS = (SHIPPED, *(pytest.param(c, marks=pytest.mark.timeout(2 * LONG)) for c in REAL if WISH))


def written(chain: Chain, root: Path, folder: Path) -> list[dict[str, Any]]:
    """The files as a person changes them for a cluster, whose data are on a volume."""
    found = []
    for file in sorted((root / "examples" / chain.folder).glob("*.yaml")):
        text = file.read_text(encoding="utf-8").replace("data/", DATA)
        made = yaml.safe_load(text)
        if MOST is not None and "training" in made["spec"]:
            length = made["spec"]["training"]["duration"]
            made["spec"]["training"]["duration"] = {"steps": min(MOST, length.get("steps", MOST))}
            text = yaml.safe_dump(made)
        (folder / file.name).write_text(text, encoding="utf-8")
        found.append(made)
    return found


@pytest.fixture
def data(space: Namespace, root: Path, chain: Chain, request: pytest.FixtureRequest) -> None:
    """What the files name of real data is on the namespace's volume."""
    files = (root / "examples" / chain.folder).glob("*.yaml")
    found = {name for f in files for name in re.findall(r"data/([\w/.]+)", f.read_text("utf-8"))}
    for name in found:
        path = space.store() / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(request.getfixturevalue("data_root") / name, path)


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain.folder)
@pytest.mark.usefixtures("data")
def test_a_model_goes_from_plain_text_to_a_service_without_a_hand(
    space: Namespace, root: Path, tmp_path: Path, chain: Chain
):
    """On shipped data; with GRAFT_TEST_CHAIN also on real ones, which takes minutes."""
    objects = written(chain, root, tmp_path)
    space.kubectl("apply", "-f", str(tmp_path))
    *jobs, server = (
        Applied(space=space, name=made["metadata"]["name"], kind=made["kind"]) for made in objects
    )
    ended = [job.phase("Complete", seconds=chain.patience) for job in jobs]
    made = [status["artefact"]["digest"] for status in ended]
    assert [[pin["digest"] for pin in status["references"]] for status in ended[1:]] == [
        [digest] for digest in made[:-1]
    ]
    students = [s for s, job in zip(ended, jobs, strict=True) if job.kind == "DistillJob"]
    assert all(status["comparison"]["metric"] == "accuracy" for status in students)
    served = ready(server)
    assert served["model"]["digest"] == made[-1]
    assert served["display"]["ready"] == "2/2"
    said = tuple(answer["label"] for answer in ask(space, server.name, *chain.texts))
    assert said == chain.labels or (MOST is not None and {*said} <= {*chain.labels})
