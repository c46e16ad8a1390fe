"""Jobs run as a person runs them, and what they leave."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.worker.waiting import until

GRAFT = (str(Path(sys.executable).with_name("graft")),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that ended well: its status as printed, and its store."""

    store: Path
    status: dict[str, Any]

    @property
    def artefact(self) -> Path:
        return Path(self.status["artefact"]["uri"])

    @property
    def weights(self) -> bytes:
        return (self.artefact / "model.safetensors").read_bytes()

    @property
    def losses(self) -> dict[int, float]:
        """Step to loss, of the steps that were reported."""
        (curve,) = self.store.glob("jobs/*/*/metrics.jsonl")
        reports = [json.loads(line) for line in curve.read_text().splitlines()]
        return {r["step"]: r["loss"] for r in reports if r["loss"] is not None}

    def metric(self, name: str) -> float:
        (value,) = (m["value"] for m in self.status["metrics"] if m["name"] == name)
        return float(value)


def command(job: Path, store: Path, *settings: str) -> list[str]:
    wishes = [part for setting in settings for part in ("--set", setting)]
    return [*GRAFT, "run", str(job), "--store", str(store), "-o", "json", *wishes]


def run(job: Path, store: Path, *settings: str) -> Finished:
    """Runs the job to its end."""
    done = subprocess.run(
        command(job, store, *settings), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Finished(store=store, status=json.loads(done.stdout))


def kill_after_a_checkpoint(job: Path, store: Path, *settings: str) -> None:
    """Runs the job until a checkpoint is whole, then ends all its processes with SIGKILL."""
    process = subprocess.Popen(
        command(job, store, *settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found = "jobs/*/*/checkpoints/step-*/manifest.json"
    until(lambda: any(store.glob(found)) or process.poll() is not None)
    assert process.poll() is None, "the run ended before it could be killed"
    family = psutil.Process(process.pid)
    for member in (*family.children(recursive=True), family):
        member.kill()
    process.wait()
    assert not any(store.glob("artefacts/sha256-*"))
