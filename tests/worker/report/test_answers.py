from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from graft_api.progress import ProgressReport
from graft_worker.report.answers import Answers, announce
from graft_worker.report.board import Board
from graft_worker.report.exposition import exposition
from graft_worker.report.server import Address, Server

TOKEN = "a token of this job"
REPORT = ProgressReport(job_uid="u", attempt=1, state="Training", step=3, total_steps=9, loss=0.5)


@dataclass
class Worker:
    """What stands behind the pages, and the server in front of them."""

    control_hash: str = hashlib.sha256(TOKEN.encode()).hexdigest()
    report: ProgressReport | None = None
    ready: bool = True
    board: Board = field(default_factory=Board.alone)
    server: Server | None = None

    def serve(self) -> None:
        self.server = Answers(
            report=lambda: self.report,
            ready=lambda: self.ready,
            ask=self.board.ask,
            control_hash=self.control_hash,
        ).serve(Address())

    def call(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, bytes]:
        assert self.server
        url = f"http://127.0.0.1:{self.server.address.port}{path}"
        try:
            with urlopen(Request(url, method=method, headers=headers)) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read()
        except HTTPError as error:
            with error:
                return error.status or 0, error.headers["Content-Type"], error.read()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    worker.serve()
    yield worker
    assert worker.server
    worker.server.close()


PLAIN = "text/plain; charset=utf-8"


def test_the_newest_report_is_answered_to_operator_and_prometheus(worker: Worker) -> None:
    worker.report = REPORT
    assert worker.call("/progress") == (200, "application/json", REPORT.to_json().encode())
    assert worker.call("/metrics") == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
        exposition(REPORT),
    )
    assert worker.call("/healthz?probe=1") == (200, PLAIN, b"ok\n")


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        pytest.param("/progress", 503, b"no report yet\n", id="before the first report: later"),
        pytest.param("/metrics", 503, b"no report yet\n", id="no series before there is a value"),
        pytest.param("/etc/passwd", 404, b"not found\n", id="nothing else is served"),
        pytest.param("/checkpoint", 404, b"not found\n", id="a checkpoint is asked for by POST"),
    ],
)
def test_what_cannot_be_answered(worker: Worker, path: str, status: int, body: bytes) -> None:
    assert worker.call(path) == (status, PLAIN, body)


def test_readiness_is_that_workers_run(worker: Worker) -> None:
    assert worker.call("/ready") == (200, PLAIN, b"ready\n")
    worker.ready = False
    assert worker.call("/ready") == (503, PLAIN, b"no worker runs\n")


def test_a_checkpoint_is_asked_for_with_the_token_of_the_job(worker: Worker) -> None:
    answer = worker.call("/checkpoint", "POST", **{"x-graft-token": TOKEN})
    assert answer == (202, PLAIN, b"asked\n")
    assert worker.board.requests == 1


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no token"),
        pytest.param({"X-Graft-Token": "guess"}, id="another token"),
        pytest.param(
            {"X-Graft-Token": hashlib.sha256(TOKEN.encode()).hexdigest()}, id="the hash itself"
        ),
        pytest.param({"X-Graft-Token": "\xff\xfe"}, id="no text"),
    ],
)
def test_nobody_else_steers_the_job(worker: Worker, headers: dict[str, str]) -> None:
    assert worker.call("/checkpoint", "POST", **headers) == (
        403,
        PLAIN,
        b"the token is not this job's\n",
    )
    assert worker.board.requests == 0


def test_without_a_hash_there_is_no_control() -> None:
    worker = Worker(control_hash="")
    worker.serve()
    assert worker.call("/checkpoint", "POST", **{"X-Graft-Token": ""})[0] == 404
    assert worker.server
    worker.server.close()


def test_nothing_is_saved_while_no_worker_runs(worker: Worker) -> None:
    worker.ready = False
    answer = worker.call("/checkpoint", "POST", **{"X-Graft-Token": TOKEN})
    assert answer == (503, PLAIN, b"no worker runs\n")
    assert worker.board.requests == 0


def test_the_chosen_port_is_written_for_those_who_ask(tmp_path: Path) -> None:
    announce(tmp_path, Address(port=9400))
    assert json.loads((tmp_path / "port.json").read_text()) == {"host": "127.0.0.1", "port": 9400}


def test_a_folder_that_is_gone_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    announce(tmp_path / "gone", Address(port=9400))
    assert caplog.messages == [
        f"{tmp_path}/gone: the port cannot be written: No such file or directory"
    ]
