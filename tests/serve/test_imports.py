"""A server loads nothing that it does not need: no training, no Kubernetes, no data readers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

CODE = """
import json, sys
from pathlib import Path
from graft_worker.serve import __main__, loading
from graft_worker.serve.settings import Settings
loading.load(Settings(artefact=Path(sys.argv[1])))
print(json.dumps(sorted(sys.modules)))
"""
ABSENT = (
    "graft_cli",
    "graft_operator",
    "graft_worker.train",
    "graft_worker.transfer",
    "graft_worker.checkpoint",
    "graft_worker.evaluate",
    "graft_worker.local",
    "graft_worker.mirror",
    "graft_worker.run.train",
    "graft_worker.run.launch",
    "accelerate",
    "fsspec",
    "kopf",
    "kubernetes",
    "pyarrow",
    "rich",
    "s3fs",
    "torchmetrics",
    "transformers",
)


def test_which_modules_a_server_loads(artefact: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", CODE, str(artefact)], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(told.stdout))
    assert {"graft_worker.serve.server", "graft_worker.models.bert", "granian"} <= loaded
    assert loaded.intersection(ABSENT) == set()
    of_run = {name for name in loaded if name.startswith("graft_worker.run.")}
    assert of_run == {"graft_worker.run.inference"}
