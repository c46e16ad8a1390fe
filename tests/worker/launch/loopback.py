"""Gangs on this machine as in a cluster: a store process, and one launcher for each node."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import psutil

from graft_api.decoding import decode
from graft_api.planner import plan
from graft_api.progress import Termination
from graft_worker.report import termination
from tests.worker.waiting import until

JOB = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {{name: loopback}}
spec:
  app: {{name: text_classify}}
  model:
    from: {{config: {{architecture: bert, layers: 1, hidden: 32, heads: 2}}}}
    tokenizer: {{train: {{kind: wordpiece, size: 500}}}}
  data:
    train: {{uri: example://reviews/train.tsv}}
    validation: {{uri: example://reviews/dev.tsv}}
    maxLength: 16
  training:
    duration: {{epochs: {epochs}}}
    globalBatch: 12
    microBatch: 4
    precision: fp32
    optimizer: {{learningRate: 1.0e-4}}
    evaluate: {{every: {{steps: 100000}}}}
  checkpoint: {{every: {{steps: 20}}}}
  workers: {{min: 1, max: 3, desired: 3}}
"""
RENDEZVOUS = {
    "is_host": "false",
    "join_timeout": "90",
    "last_call_timeout": "2",
    "read_timeout": "5",
    "keep_alive_interval": "1",
    "keep_alive_max_attempt": "3",
}
QUIET = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PET_LOCAL_ADDR": "127.0.0.1"}

Report = dict[str, Any]


@dataclass(slots=True)
class Store:
    """The process in which the nodes of a gang meet."""

    process: subprocess.Popen[str]
    port: int

    @classmethod
    def start(cls) -> Self:
        own = {"GRAFT_RENDEZVOUS_PORT": "0", "GRAFT_RENDEZVOUS_HEALTH_PORT": "0"}
        process = subprocess.Popen(
            [sys.executable, "-m", "graft_worker", "rendezvous"],
            env=os.environ | own,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        said = json.loads(process.stderr.readline())["message"]
        return cls(process, int(said.split(",")[0].rpartition(" ")[2]))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()


@dataclass(slots=True)
class Node:
    """A launcher with its workers; what its pod would be."""

    process: subprocess.Popen[bytes]
    words_file: Path
    log: Path

    def kill(self) -> None:
        """SIGKILL to the launcher and to all below it, as when a machine loses its power."""
        below = self.below()
        self.process.kill()
        for process in below:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP to all of it, as when its cable is cut: nobody hears of it any more."""
        for process in (psutil.Process(self.process.pid), *self.below()):
            process.suspend()

    def below(self) -> list[psutil.Process]:
        """The processes that the launcher has started."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def code(self, *, seconds: float = 120.0) -> int:
        until(lambda: self.process.poll() is not None, seconds=seconds)
        return self.process.returncode

    def words(self) -> Termination | None:
        return termination.read(self.words_file)


@dataclass(slots=True)
class Gang:
    """The nodes of one job that is prepared; they all share `folder`."""

    folder: Path
    environ: dict[str, str]
    store: Store
    nodes: list[Node] = field(default_factory=list)

    def node(self, **environ: str) -> Node:
        """One node more."""
        number = len(self.nodes)
        words, log = self.folder / f"words-{number}.json", self.folder / f"node-{number}.log"
        own = {"GRAFT_TERMINATION_FILE": str(words)} | environ
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "graft_worker", "launch"],
                env=self.environ | own,
                stdout=output,
                stderr=output,
            )
        self.nodes.append(Node(process, words, log))
        return self.nodes[-1]

    def reports(self) -> list[Report]:
        """What was reported, oldest first."""
        try:
            text = (self.folder / "metrics.jsonl").read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line[-1] == "\n"]

    def reaches(self, step: int, *, world: int) -> Report:
        """The newest report once a gang of that size has done the step."""

        def there() -> bool:
            assert any(node.process.poll() is None for node in self.nodes), self.said()
            last = self.reports()[-1:]
            return bool(last) and last[0]["step"] >= step and last[0]["worldSize"] == world

        until(there)
        return self.reports()[-1]

    def losses(self) -> dict[int, float]:
        """Step to loss; of a step that was repeated the newest."""
        return {r["step"]: r["loss"] for r in self.reports() if r["loss"] is not None}

    def said(self) -> str:
        return "\n".join(node.log.read_text() for node in self.nodes)

    def end(self) -> None:
        for node in self.nodes:
            node.kill()
        self.store.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A job whose prepare stage is done; gangs begin with copies of its folder."""

    store: Path
    job: Path

    @classmethod
    def make(cls, store: Path, *, epochs: int) -> Self:
        folder = store / "jobs" / "prepared"
        folder.mkdir(parents=True)
        (folder / "job.json").write_text(plan(decode(JOB.format(epochs=epochs))).job)
        made = cls(store=store, job=folder)
        done = subprocess.run(
            [sys.executable, "-m", "graft_worker", "prepare"],
            env=made.environ(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return made

    def environ(self, folder: Path, **more: str) -> dict[str, str]:
        contract = {
            "GRAFT_JOB_FILE": str(folder / "job.json"),
            "GRAFT_STORE": str(self.store),
            "GRAFT_JOB_DIR": str(folder),
            "GRAFT_COLLECTIVE_SECONDS": "20",
        }
        return dict(os.environ) | QUIET | contract | more

    def gang(self, name: str, nodes: str, **more: str) -> Gang:
        """A gang without nodes yet, of `least:most`."""
        folder, store = self.store / "jobs" / name, Store.start()
        shutil.copytree(self.job, folder)
        meeting = {
            "PET_NNODES": nodes,
            "PET_NPROC_PER_NODE": "1",
            "PET_RDZV_BACKEND": "c10d",
            "PET_RDZV_ENDPOINT": f"127.0.0.1:{store.port}",
            "PET_RDZV_ID": name,
            "PET_RDZV_CONF": ",".join(f"{key}={value}" for key, value in RENDEZVOUS.items()),
            "PET_MAX_RESTARTS": "100",
            "PET_MONITOR_INTERVAL": "0.1",
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
            "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "20",
        }
        return Gang(folder, self.environ(folder, **meeting, **more), store)


def new_rounds(reports: list[Report]) -> Iterator[tuple[Report, Report]]:
    """The last report before every new round of workers and the first after it."""
    counts = [sum(report["stepHistogram"].values()) for report in reports]
    for number in range(1, len(reports)):
        if counts[number] < counts[number - 1]:
            yield reports[number - 1], reports[number]


def moment(report: Report) -> datetime:
    return datetime.fromisoformat(report["time"])
