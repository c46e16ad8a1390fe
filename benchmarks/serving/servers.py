"""Server processes: how each is started, asked and measured."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks.race import QUIET, ROOT, RaceError
from benchmarks.serving import clients, cores

PATIENCE = 600.0  # seconds until a server has to answer: six of them load on one core
ONE_THREAD = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What to run, and how its clients speak to it. `{port}` in a word is replaced."""

    words: tuple[str, ...]  # what Python runs
    path: str
    asked: Callable[[str], Any]  # the body that asks about a text
    vector: Callable[[Any], list[float]]  # that in an answer
    environment: Mapping[str, str] = field(default_factory=dict)

    def request(self, text: str) -> bytes:
        """The request for a text."""
        return clients.request(self.path, json.dumps(self.asked(text)).encode())


def graft(artefact: Path, *arguments: str) -> Kind:
    """`graft serve`, asked by OpenAI's protocol for the vector of a text."""
    words = ("-m", "graft_cli", "serve", str(artefact), "--port", "{port}", "--timeout", "60")
    return Kind(
        words=(*words, "--name", "served", *arguments),
        path="/v1/embeddings",
        asked=lambda text: {"model": "served", "input": text},
        vector=lambda answer: list(answer["data"][0]["embedding"]),
    )


def null_graft(artefact: Path, *arguments: str) -> Kind:
    """The same without a model's work."""
    words = ("-m", "benchmarks.serving.null_server", str(artefact), "{port}", *arguments)
    return replace(graft(artefact), words=words)


def peer(module: str, **environment: str) -> Kind:
    """A FastAPI application of `benchmarks.peers` on uvicorn, as its documentation starts it."""
    words = ("-m", "uvicorn", "--factory", f"benchmarks.peers.{module}:application")
    return Kind(
        words=(*words, "--port", "{port}", "--log-level", "warning", "--no-access-log"),
        path="/embed",
        asked=lambda text: {"inputs": text},
        vector=lambda answer: list(answer["embedding"]),
        environment=environment,
    )


class Server:
    """A server process on a core; see `standing`."""

    def __init__(self, name: str, kind: Kind, *, core: int, logs: Path) -> None:
        self.name, self.kind, self.port = name, kind, _free_port()
        self._log = logs / f"{name}.log"
        words = [word.format(port=self.port) for word in kind.words]
        with cores.on(core), self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env={**os.environ, **QUIET, **ONE_THREAD, **kind.environment},
                stdout=log,
                stderr=log,
            )
        self.process = psutil.Process(self._process.pid)

    def wait(self) -> None:
        """Returns when it answers.

        Raises:
            RaceError: it never does; with what it last said.
        """
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RaceError(f"{self.name} does not answer: {self._log.read_text()[-2000:]}")
            time.sleep(0.2)

    def end(self) -> None:
        """Ends the process."""
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def vector(self, text: str) -> list[float]:
        """The answer to a text."""
        status, body = clients.ask(self.port, self.kind.request(text))
        if status != 200:
            raise RaceError(f"{self.name} answered {status}: {body[:500]!r}")
        return self.kind.vector(json.loads(body))

    def cpu(self) -> float:
        """Processor seconds so far."""
        return sum(self.process.cpu_times()[:2])

    def resident(self) -> int:
        """Bytes that it holds."""
        return int(self.process.memory_info().rss)

    def _answers(self) -> bool:
        try:
            return clients.ask(self.port, self.kind.request("ready?"))[0] == 200
        except (OSError, EOFError):
            return False


@contextmanager
def standing(kinds: Mapping[str, Kind], *, core: int, logs: Path) -> Iterator[Sequence[Server]]:
    """Servers that all answer, on one core. They start together and take turns later."""
    with ExitStack() as stack:
        started = [Server(name, kind, core=core, logs=logs) for name, kind in kinds.items()]
        for server in started:
            stack.callback(server.end)
        for server in started:
            server.wait()
        yield started


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
