"""Jobs in a cluster: applied, waited for, looked at, disturbed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until

VERSION, KIND = "graft.dev/v1alpha1", "TransferJob"
FINISHED = 240.0
STARTED = 120.0

Object = dict[str, Any]


def small(name: str, **spec: Any) -> Object:
    """A job of a tiny model on the shipped reviews: about {epochs} times thirty steps."""
    training = {
        "duration": {"epochs": 4},
        "globalBatch": 8,
        "optimizer": {"learningRate": 0.001},
        "evaluate": {"every": {"steps": 1000}},
    } | spec.pop("training", {})
    config = {"architecture": "bert", "layers": 1, "hidden": 64, "heads": 2}
    usual: Object = {
        "app": {"name": "text_classify"},
        "model": {
            "from": {"config": config},
            "tokenizer": {"train": {"kind": "wordpiece", "size": 1000}},
        },
        "data": {
            "train": {"uri": "example://reviews/train.tsv"},
            "validation": {"uri": "example://reviews/dev.tsv"},
            "maxLength": 32,
        },
        "training": training,
        "checkpoint": {"every": {"steps": 20}},
        "workers": {"resources": {"cpu": "100m", "memory": "1Gi"}},
    }
    workers = usual["workers"] | spec.pop("workers", {})
    return {
        "apiVersion": VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "spec": usual | {"workers": workers} | spec,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A job of a namespace."""

    space: Namespace
    name: str
    kind: str = KIND

    @property
    def object(self) -> Object:
        return self.space.api.get(VERSION, self.kind, self.name, self.space.name)

    @property
    def status(self) -> Object:
        found: Object = self.object.get("status") or {}
        return found

    def condition(self, kind: str) -> Object:
        found = self.status.get("conditions") or ()
        return next((c for c in found if c["type"] == kind), {})

    def until(
        self, true: Callable[[Object], Any], what: str, *, seconds: float = STARTED
    ) -> Object:
        """The status as soon as it is so; a job that failed instead ends the wait."""

        def look() -> Object | None:
            status = self.status
            if true(status):
                return status
            assert status.get("phase") != "Failed", json.dumps(status, indent=1)
            return None

        return until(look, f"{self.name}: {what}", seconds=seconds)

    def phase(self, *phases: str, seconds: float = FINISHED) -> Object:
        wanted = " or ".join(phases)
        return self.until(lambda s: s.get("phase") in phases, wanted, seconds=seconds)

    def failed(self, *, seconds: float = FINISHED) -> Object:
        def look() -> Object | None:
            status = self.status
            return status if status.get("phase") == "Failed" else None

        return until(look, f"{self.name} to fail", seconds=seconds)

    def step(self, least: int, *, attempt: int = 1, seconds: float = STARTED) -> Object:
        """The status once the attempt has reached the step and a worker reports it."""
        return self.until(
            lambda s: (
                s.get("attempt", 0) >= attempt
                and (s.get("progress") or {}).get("step", 0) >= least
                and s.get("phase") in ("Running", "Resizing", "Complete")
            ),
            f"step {least} of attempt {attempt}",
            seconds=seconds,
        )

    def pods(self, role: str = "worker", *, attempt: int | None = None) -> list[Object]:
        labels = f"graft.dev/job={self.name},graft.dev/role={role}"
        if attempt is not None:
            labels += f",graft.dev/attempt={attempt}"
        return self.space.pods(labels)

    def pod(self, index: int, *, attempt: int = 1) -> str:
        """Name of the living worker of that index."""
        key = "batch.kubernetes.io/job-completion-index"
        found = [
            pod
            for pod in self.pods(attempt=attempt)
            if pod["metadata"]["labels"][key] == str(index)
            and "deletionTimestamp" not in pod["metadata"]
            and pod["status"].get("phase") == "Running"
        ]
        return str(found[0]["metadata"]["name"])

    def patch(self, **spec: Any) -> None:
        change = {"spec": spec}
        self.space.api.patch(VERSION, self.kind, self.name, change, namespace=self.space.name)

    def weights(self, store: Path) -> bytes:
        """The trained weights, from the folder behind the store's claim."""
        digest = self.status["artefact"]["digest"].removeprefix("sha256:")
        return (store / "artefacts" / f"sha256-{digest}" / "model.safetensors").read_bytes()

    def reports(self, store: Path) -> list[Object]:
        """What the workers reported, oldest first."""
        uid = self.object["metadata"]["uid"][:8]
        curve = store / "jobs" / "transferjob" / f"{self.name}-{uid}" / "metrics.jsonl"
        return [json.loads(line) for line in curve.read_text().splitlines()]

    def losses(self, store: Path) -> dict[int, float]:
        """Step to loss as reported; of a step that was repeated the newest."""
        reports = self.reports(store)
        return {r["step"]: r["loss"] for r in reports if r["loss"] is not None}


def apply(space: Namespace, job: Object) -> Applied:
    """The job in that namespace."""
    space.apply(job)
    return Applied(space=space, name=job["metadata"]["name"], kind=job["kind"])
