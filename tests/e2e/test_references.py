"""A job that starts from what another has made, on one machine."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from safetensors.numpy import load_file

from tests.e2e.jobs import command, run
from tests.gangs.jobs import small

STEPS = {"duration": {"steps": 4}}


def test_a_job_reads_the_artefact_of_another_from_the_same_store(tmp_path: Path) -> None:
    store = tmp_path / "store"
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(json.dumps(small("first", training=STEPS)))
    reader = small("second", training=STEPS)
    reader["spec"]["model"] = {"from": {"job": {"kind": "TransferJob", "name": "first"}}}
    second.write_text(json.dumps(reader))

    early = subprocess.run(command(second, store), capture_output=True, text=True, check=False)
    assert early.returncode == 2
    assert "TransferJob first has not run to its end" in early.stderr
    assert not list(store.glob("jobs/*/second-*"))

    made = run(first, store)
    frozen = "method.finetune={freezeLayers: 1}"
    read = run(second, store, frozen, "method.name=finetune")
    old, new = (load_file(each.artefact / "model.safetensors") for each in (made, read))
    kept = [name for name in old if ".layer.0." in name]
    assert kept
    assert all((old[name] == new[name]).all() for name in kept)
    assert any((old[name] != new[name]).any() for name in old)
