"""A gang of two processes that loses one by kill -9 and trains to the end: when what happened."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from graft_api.decoding import decode
from graft_api.planner import plan

JOB = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {{name: restarted}}
spec:
  app: {{name: text_classify}}
  model:
    from: {{config: {{architecture: bert, layers: 2, hidden: 64, heads: 4}}}}
    tokenizer: {{train: {{kind: wordpiece, size: 800}}}}
  data:
    train: {{uri: example://reviews/train.tsv}}
    validation: {{uri: example://reviews/dev.tsv}}
    maxLength: 32
  training:
    duration: {{epochs: {epochs}}}
    globalBatch: 8
    microBatch: 4
    precision: fp32
    evaluate: {{every: {{steps: 100000}}}}
  checkpoint: {{every: {{steps: 10}}}}
  workers: {{desired: 2}}
"""
KILLED_AT = 25  # steps
GANG = {
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "PET_NNODES": "1:1",
    "PET_NPROC_PER_NODE": "2",
    # Without it torchrun's second round of gloo meets the first one's addresses and waits in vain.
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
}
ENVIRON = {
    **GANG,
    "PET_MAX_RESTARTS": "3",
    "GRAFT_FAULTS_ENABLED": "1",
    "GRAFT_FAULT_AT": f"1:{KILLED_AT}:kill",
}


class GangError(Exception):
    """A gang that did not come to its end; the message ends with what it last said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gang:
    """Moments in seconds since the epoch, and the loss of every step that was reported."""

    began: float
    stepped: float  # the first step was done
    killed: float
    resumed: float  # the first step after it was done
    losses: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A job whose data are prepared, in a store of its own."""

    store: Path

    @classmethod
    def make(cls, store: Path, *, epochs: int) -> Self:
        """The job, made ready in that folder."""
        made = cls(store=store)
        folder = made._folder("prepared")
        folder.mkdir(parents=True)
        (folder / "job.json").write_text(plan(decode(JOB.format(epochs=epochs))).job)
        made._through(("-m", "graft_worker", "prepare"), folder, {})
        return made

    def gang(self, name: str, command: Sequence[str]) -> Gang:
        """What became of a gang that this command of Python starts."""
        folder = self._folder(name)
        shutil.copytree(self._folder("prepared"), folder)
        began = time.time()
        self._through(command, folder, ENVIRON)
        (mark,) = folder.glob("logs/*/fault-*")
        killed = mark.stat().st_mtime
        lines = (folder / "metrics.jsonl").read_text().splitlines()
        reports = [json.loads(line) for line in lines]
        return Gang(
            began=began,
            stepped=_first_steps(reports)[0],
            killed=killed,
            resumed=_first_steps(reports)[1],
            losses=[report["loss"] for report in reports if report["step"] == _last(reports)][-1:],
        )

    def _folder(self, name: str) -> Path:
        return self.store / "jobs" / name

    def _through(self, command: Sequence[str], folder: Path, more: Mapping[str, str]) -> None:
        done = subprocess.run(
            [sys.executable, *command],
            env={**os.environ, **contract(self.store, folder), **more},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise GangError(f"{command}: exit code {done.returncode}\n{done.stderr[-2000:]}")


def contract(store: Path, folder: Path) -> Mapping[str, str]:
    """What a worker has to be told: the job, which stands in its folder, and the store."""
    return {
        "GRAFT_JOB_FILE": str(folder / "job.json"),
        "GRAFT_STORE": str(store),
        "GRAFT_JOB_DIR": str(folder),
    }


def seconds(command: Sequence[str]) -> float:
    """How long Python takes for a command."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True)
    return time.perf_counter() - began


def _moment(report: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(report["time"]).timestamp()


def _first_steps(reports: Sequence[Mapping[str, Any]]) -> list[float]:
    """When processes had done the first step of their lives: each reports it at once."""
    return [_moment(r) for r in reports if sum(r["stepHistogram"].values()) == 1]


def _last(reports: Sequence[Mapping[str, Any]]) -> int:
    return max(int(report["step"]) for report in reports)
