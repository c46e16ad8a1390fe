"""The operators that compete, each a process of its own on the machine."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import urllib3

from benchmarks.fleet.plane import SYSTEM, Plane
from benchmarks.race import ROOT
from tests.cluster.wait import until

KOPF = ("kopf", "run", "--all-namespaces", "--quiet")
MODULES: Mapping[str, tuple[str, ...]] = {
    "ours": ("graft_operator",),
    "default": (*KOPF, "benchmarks/peers/kopf_default.py"),
    "tuned": (*KOPF, "benchmarks/peers/kopf_tuned.py"),
}
FOLDERS = ("crds", "cli", "operator", "worker", ".")
STARTED = 0.3  # seconds of CPU time that imports alone take
IDLE_SHARE = 0.05  # of a core, over a second


@dataclass(slots=True, kw_only=True)
class Contestant:
    """One operator; started, killed and started again."""

    name: str
    plane: Plane
    process: psutil.Popen = field(init=False)
    port: int = field(init=False)

    def start(self) -> float:
        """Seconds until it is ready: ours says so, of a peer it is when it has gone idle."""
        self.port = _free_port()
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = psutil.Popen(
                [sys.executable, "-m", *MODULES[self.name]],
                cwd=ROOT,
                env={**os.environ, **self._environ()},
                stdout=log,
                stderr=log,
            )
        if self.name == "ours":
            until(self._ready, f"the operator; see {self.log}", seconds=120, pause=0.02)
            return time.monotonic() - began
        return self.idle(seconds=600)

    def kill(self) -> None:
        """SIGKILL: it can save nothing."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def idle(self, *, seconds: float) -> float:
        """Seconds from its start until it has worked off what it found, by its CPU clock."""
        before = [0.0]

        def look() -> bool:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {self.log.read_text()[-2000:]}")
            used, before[0] = self.cpu() - before[0], self.cpu()
            return self.cpu() > STARTED and used < IDLE_SHARE

        until(look, f"{self.name} to go idle", seconds=seconds, pause=1.0)
        return time.time() - float(self.process.create_time()) - 1.0

    @property
    def log(self) -> Path:
        return self.plane.settings.within("log", f"{self.name}.log")

    def cpu(self) -> float:
        """Seconds of CPU time since its start."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def resident(self) -> int:
        """Bytes of memory that it holds now."""
        return int(self.process.memory_info().rss)

    def series(self, name: str) -> dict[str, float]:
        """A series of /metrics by its labels; ours only."""
        lines = self._get("/metrics").splitlines()
        found = (line for line in lines if line.startswith((f"{name} ", f"{name}{{")))
        pairs = (line.rpartition(" ") for line in found)
        return {series.removeprefix(name): float(value) for series, _, value in pairs}

    def _ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {self.log.read_text()[-2000:]}")
        return self._get("/readyz").startswith("ok")

    def _get(self, path: str) -> str:
        try:
            answer = urllib3.request("GET", f"http://127.0.0.1:{self.port}{path}", retries=False)
        except urllib3.exceptions.HTTPError:
            return ""
        return answer.data.decode()

    def _environ(self) -> dict[str, str]:
        own = {
            "NAMESPACE": SYSTEM,
            "HEALTH_HOST": "127.0.0.1",
            "HEALTH_PORT": str(self.port),
            "LEADER_ELECTION": "false",
        }
        return {
            "KUBECONFIG": str(self.plane.operator),
            "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in FOLDERS),
            **{f"GRAFT_OPERATOR_{key}": value for key, value in own.items()},
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
