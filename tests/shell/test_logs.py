"""Lines of the operator's log are JSON and name the job that they are about."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from graft_operator.cluster.connection import Connection
from graft_operator.cluster.sending import Sender
from graft_operator.cluster.workers import Workers
from graft_operator.settings import Settings
from graft_operator.shell import arrivals, logs
from graft_operator.shell.acting import Actor
from graft_operator.shell.gathering import Gatherer
from graft_operator.shell.loop import Loop
from graft_operator.shell.state import State
from tests.builders import subject
from tests.cluster.wait import until
from tests.shell.api_server import ApiServer

JOB = {"kind": "TransferJob", "namespace": "team", "job": "reviews"}


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the operator's loggers write."""
    stream, logger = io.StringIO(), logging.getLogger("graft_operator")
    handler, level = logs.handler(stream), logger.level
    logger.addHandler(handler)
    logger.setLevel("INFO")
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)


def told(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def reconciled(state: State, sender: Sender) -> None:
    """One thread works on the keys of the queue."""
    settings, workers = Settings(threads=1), Workers(threads=1)
    gatherer = Gatherer(state.cache, sender, workers, settings)
    actor = Actor(state, sender, workers, settings)
    loop = Loop(state, gatherer=gatherer, actor=actor, settings=settings)
    threading.Thread(target=loop.run, daemon=True).start()


@pytest.fixture
def state(api_server: ApiServer) -> Iterator[State]:
    """A new job has come."""
    made, job = State(), subject()
    raw = job.manifest()
    raw["metadata"] = {"name": job.name, "namespace": job.namespace}
    arrivals.came(made, api_server.put(raw), kind=job.kind)
    yield made
    made.queue.close(seconds=30)


def test_what_happens_to_a_job_is_a_line_with_its_name(
    api_server: ApiServer, connection: Connection, state: State, lines: io.StringIO
):
    reconciled(state, Sender(connection, per_second=1000, leads=lambda: True))
    until(lambda: "JobAccepted" in lines.getvalue(), "the line about the new job")
    assert state.queue.close(seconds=30)
    line = next(each for each in told(lines) if each["message"].startswith("JobAccepted"))
    assert line.pop("time")
    assert line == JOB | {
        "level": "INFO",
        "logger": "graft_operator.shell.acting",
        "message": "JobAccepted: the job is known",
    }


def test_a_reconcile_that_fails_says_of_which_job(
    api_server: ApiServer, connection: Connection, state: State, lines: io.StringIO
):
    reconciled(state, Sender(connection, per_second=1000, leads=lambda: False))
    line = until(lambda: next(iter(told(lines)), None), "the line about the failure")
    assert line.items() >= (JOB | {"level": "WARNING"}).items()
    assert "the Lease was not renewed in time" in line["message"]
    assert not [each for each in api_server.asked if not each.startswith("GET")]


def test_a_line_about_no_job_names_none(lines: io.StringIO):
    log = logging.getLogger("graft_operator.somewhere")
    with logs.bound(**JOB):
        log.info("of the job")
    log.info("of none")
    first, second = told(lines)
    assert first.items() >= JOB.items()
    assert set(second) == {"time", "level", "logger", "message"}
