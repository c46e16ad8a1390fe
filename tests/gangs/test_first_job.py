"""`kubectl apply -f examples/01-classify/job.yaml`, and what a person sees of it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.cluster.namespaces import Namespace
from tests.e2e.jobs import GRAFT
from tests.gangs.jobs import apply, small
from tests.gangs.measured import tell


@pytest.mark.parametrize("size", [1, 2])
def test_the_example_trains_and_equals_the_same_file_on_this_machine(
    space: Namespace, store: Path, root: Path, tmp_path: Path, size: int
):
    job = yaml.safe_load((root / "examples" / "01-classify" / "job.yaml").read_text())
    job["spec"]["training"]["duration"] = {"epochs": 1}
    # The same number of threads, hence the same order of additions, as on the machine beside it.
    one_thread = [{"name": "OMP_NUM_THREADS", "value": "1"}]
    job["spec"]["workers"] = {"desired": size, "env": one_thread}
    began = time.monotonic()
    applied = apply(space, job)
    applied.step(1)
    tell(f"from apply to the first step, {size} worker(s)", time.monotonic() - began)
    status = applied.phase("Complete")
    assert [c["status"] for c in status["conditions"] if c["type"] == "Ready"] == ["True"]
    assert status["dataset"]["rows"] == 240
    assert status["artefact"]["digest"].startswith("sha256:")
    file = tmp_path / "job.yaml"
    file.write_text(yaml.safe_dump(job))
    done = subprocess.run(
        [*GRAFT, "run", str(file), "--store", str(tmp_path / "store"), "-o", "json"],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    local = Path(json.loads(done.stdout)["artefact"]["uri"]) / "model.safetensors"
    assert applied.weights(store) == local.read_bytes()


def test_kubectl_shows_how_the_job_is(space: Namespace, store: Path):
    applied = apply(space, small("shown"))
    applied.phase("Complete")
    table = space.kubectl("get", "transfer", "shown", "-o", "wide")
    head, row = (line.split() for line in table.splitlines()[:2])
    shown = dict(zip(head, row, strict=False))
    assert (shown["PHASE"], shown["WORKERS"], shown["PROGRESS"]) == ("Complete", "1/1", "100%")
    assert "accuracy=" in shown["METRIC"]
    assert "condition met" in space.kubectl(
        "wait", "--for=condition=Complete", "transfer/shown", "--timeout=5s"
    )
    reasons = space.kubectl("get", "events", "-o", "jsonpath={.items[*].reason}")
    for reason in ("JobAccepted", "DataPrepared", "TrainingStarted", "Completed"):
        assert reason in reasons
