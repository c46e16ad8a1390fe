"""A real S3 server on a loopback port, whose buckets are folders that a test looks into."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.charts.binaries import binary
from tests.worker.waiting import until

KEY, SECRET = "graft", "graftsecret"
BUCKET = "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server with one bucket; `folder` holds its objects as files."""

    endpoint: str
    root: Path
    process: subprocess.Popen[bytes]

    @property
    def folder(self) -> Path:
        return self.root / BUCKET

    @property
    def environ(self) -> dict[str, str]:
        """What a program needs to speak to it."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    @contextmanager
    def silent(self) -> Iterator[None]:
        """It takes requests and answers none, as one that is overloaded."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)  # all its threads
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def names(self, pattern: str) -> list[str]:
        """Addresses of objects in the bucket, by the names of their files."""
        return sorted(
            path.relative_to(self.folder).as_posix() for path in self.folder.glob(pattern)
        )


@contextmanager
def serving(root: Path) -> Iterator[Server]:
    """The server while the context lasts."""
    (root / BUCKET).mkdir(parents=True)
    port = free_port()
    place = f"127.0.0.1:{port}"
    command = [str(binary("versitygw")), "--port", place, "--health", "/healthz", "--quiet"]
    process = subprocess.Popen(
        [*command, "posix", str(root)],
        env=os.environ | {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            until(lambda: answers(f"http://{place}/healthz"), seconds=30)
            yield Server(endpoint=f"http://{place}", root=root, process=process)
        finally:
            process.kill()


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
