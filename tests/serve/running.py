"""A real server process on this machine, and requests to it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY = re.compile(
    r"at http://127\.0\.0\.1:(\d+)|ready on 127\.0\.0\.1:(\d+), metrics on port (\d+)"
)
METRICS = re.compile(r"metrics: http://127\.0\.0\.1:(\d+)/")
LOADING = """
import json, sys
from pathlib import Path
from graft_worker.serve import __main__, loading
from graft_worker.serve.settings import Settings
loading.load(Settings(artefact=Path(sys.argv[1])))
print(json.dumps(sorted(sys.modules)))
"""
JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Running:
    """A server that is ready."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self.port = self.metrics_port = 0
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line)
            self._learn(line)
            if self.port and self.metrics_port:
                break
        self._rest = threading.Thread(target=self._listen, daemon=True)
        self._rest.start()

    def ask(self, method: str, path: str, body: Any = None, **more: str) -> Reply:
        """One request by a connection of its own; `more` are headers, words joined by `_`."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = JSON | {name.replace("_", "-"): value for name, value in more.items()}
        return request(self.port, method, path, data, headers)

    def predict(self, *texts: str) -> Any:
        """The predictions for texts."""
        reply = self.ask("POST", "/v1/predict", {"texts": texts})
        assert reply.status == 200, reply.body
        return reply.json["predictions"]

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a series' samples that have these labels; 0 where there is none."""
        samples = [line for line in self.metrics().splitlines() if line.startswith(f"{name}{{")]
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            float(line.rsplit(" ", 1)[1]) for line in samples if all(w in line for w in wanted)
        )

    def metrics(self) -> str:
        """All series."""
        return request(self.metrics_port, "GET", "/metrics", None, {}).body.decode()

    def end(self) -> int:
        """Asks it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def _learn(self, line: str) -> None:
        if found := READY.search(line):
            self.port = int(found[1] or found[2])
            self.metrics_port = int(found[3] or 0)
        if found := METRICS.search(line):
            self.metrics_port = int(found[1])

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self.said += self.process.stderr


def request(
    port: int, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> Reply:
    """One request to a port of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, dict(headers))
        found = connection.getresponse()
        named = {name.lower(): value for name, value in found.getheaders()}
        return Reply(status=found.status, body=found.read(), headers=named)
    finally:
        connection.close()


def start(*arguments: str, program: str = "graft_cli") -> subprocess.Popen[str]:
    """A server process that may not become ready."""
    verb = ["serve"] if program == "graft_cli" else []
    command = [sys.executable, "-m", program, *verb, *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@contextmanager
def running(artefact: Path, *arguments: str, program: str = "graft_cli") -> Iterator[Running]:
    """A server that is ready, ended with the test."""
    ports = ("--port", "0", "--metrics-port", "0")
    with start(str(artefact), *ports, *arguments, program=program) as process:
        try:
            server = Running(process)
            assert server.port, f"not ready: {''.join(server.said)}"
            yield server
        finally:
            if process.poll() is None:
                process.kill()
