"""A server loads nothing that it does not need: no training, no Kubernetes, no data readers."""

from __future__ import annotations

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


def test_which_modules_a_server_loads(loaded: frozenset[str]) -> None:
    assert {"graft_worker.serve.server", "graft_worker.models.bert", "granian"} <= loaded
    assert loaded.intersection(ABSENT) == set()
    of_run = {name for name in loaded if name.startswith("graft_worker.run.")}
    assert of_run == {"graft_worker.run.inference"}
