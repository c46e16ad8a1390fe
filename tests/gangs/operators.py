"""The operator as a process of its own, which tests may kill and start again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import urllib3

from tests.cluster.wait import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True, kw_only=True)
class Operator:
    """One operator; `settings` are variables without their prefix."""

    kubeconfig: Path
    folder: Path
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    port: int = field(default_factory=free_port)

    @property
    def log(self) -> Path:
        return self.folder / "operator.log"

    def start(self) -> None:
        """It is ready when this returns."""
        self.launch()
        until(self.ready, f"the operator; its log is {self.log}", seconds=60)

    def launch(self) -> None:
        """It is on its way when this returns."""
        own = {"HEALTH_HOST": "127.0.0.1", "HEALTH_PORT": str(self.port)} | self.settings
        named = {f"GRAFT_OPERATOR_{key}": value for key, value in own.items()}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "graft_operator"],
                env={**os.environ, "KUBECONFIG": str(self.kubeconfig), **named},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL: it can save nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ready(self) -> bool:
        return self._get("/readyz").startswith("ok")

    def metric(self, name: str) -> float:
        """The sum of a series over all its labels."""
        lines = self._get("/metrics").splitlines()
        found = [line for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def _get(self, path: str) -> str:
        try:
            answer = urllib3.request("GET", f"http://127.0.0.1:{self.port}{path}", retries=False)
        except urllib3.exceptions.HTTPError:
            return ""
        return answer.data.decode()


RESIDENT = pytest.StashKey[Operator]()


@contextmanager
def without_resident(config: pytest.Config) -> Iterator[None]:
    """The operator of every namespace rests meanwhile, where a test before has asked for it."""
    resident = config.stash.get(RESIDENT, None)
    if resident is not None:
        resident.kill()
    try:
        yield
    finally:
        if resident is not None:
            resident.start()
