"""The stages of a job as pods run them, on a node that may be lost with all that is on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from graft_api import decoding, planner
from graft_api.progress import ProgressReport, Termination
from graft_worker.report import termination
from tests.gangs.jobs import Object
from tests.worker.mirror.buckets import Server

UID = "0b5a6c1e"


@dataclass(slots=True, kw_only=True)
class Node:
    """One machine: its folder of the store, and the processes of a job on it."""

    folder: Path
    job: Object
    environ: dict[str, str] = field(default_factory=dict)
    attempt: int = 1

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def job_dir(self) -> Path:
        return self.store / "jobs" / "transferjob" / f"{self.job['metadata']['name']}-{UID}"

    @property
    def words(self) -> Termination:
        """The last words of the stage that ended last."""
        found = termination.read(self.folder / "termination.json")
        assert found
        return found

    @property
    def report(self) -> ProgressReport | None:
        try:
            return ProgressReport.from_json((self.job_dir / "progress.json").read_text())
        except OSError:
            return None

    def start(self, stage: str, **environ: str) -> subprocess.Popen[bytes]:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "termination.json").unlink(missing_ok=True)
        plan = planner.plan(decoding.decode_json(json.dumps(self.job)))
        (self.folder / "job.json").write_text(plan.job)
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "graft_worker", stage],
                env=os.environ | self._contract(plan.stage("train")) | self.environ | environ,
                stdout=log,
                stderr=log,
            )

    def run(self, stage: str, **environ: str) -> int:
        """The exit code of the stage."""
        return self.start(stage, **environ).wait()

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to all of it, and what was on the node's disk is gone."""
        family = psutil.Process(process.pid)
        for member in (family, *family.children(recursive=True)):
            member.kill()
        process.wait()
        self.lose()

    def lose(self) -> None:
        """The next attempt runs on another node, where nothing is."""
        shutil.rmtree(self.store)
        self.attempt += 1

    def weights(self, artefacts: Path) -> bytes:
        digest = self.words.artefact_digest
        assert digest
        return (artefacts / digest.replace(":", "-") / "model.safetensors").read_bytes()

    def _contract(self, stage: Any) -> dict[str, str]:
        return {
            "OMP_NUM_THREADS": "1",
            "PET_NNODES": "1:1",
            "PET_NPROC_PER_NODE": str(stage.gang.processes),
            "GRAFT_JOB_FILE": str(self.folder / "job.json"),
            "GRAFT_STORE": str(self.store),
            "GRAFT_JOB_DIR": str(self.job_dir),
            "GRAFT_JOB_UID": UID,
            "GRAFT_ATTEMPT": str(self.attempt),
            "GRAFT_TERMINATION_FILE": str(self.folder / "termination.json"),
        }


def at(server: Server, name: str) -> dict[str, str]:
    """The environment of pods whose store is the prefix of that name."""
    return server.environ | {"GRAFT_STORE_URI": f"s3://models/{name}"}
