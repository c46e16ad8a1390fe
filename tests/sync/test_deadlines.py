"""Which deadline ends a job, at what moment, and what becomes of the pods that it held."""

from __future__ import annotations

from datetime import timedelta

import pytest

from graft_operator.observed import Observed, Subject
from tests.builders import (
    after,
    at,
    batch,
    condition,
    look,
    pod,
    prepared,
    report,
    running,
    subject,
)

LIMITS = {"queue": "10m", "start": "20m", "active": "1h"}
ALMOST = timedelta(milliseconds=500)
BEGUN = {"firstStepTime": "2026-01-01T12:00:30Z"}


def limited(**run: object) -> Subject:
    return subject(run={"deadlines": LIMITS} | run)


def in_queue(role: str = "worker") -> Observed:
    return Observed(jobs=(batch(role, suspended=True),))


TRAINS = Observed(jobs=(batch(active=1, ready=1),), pods=(running(),), report=report(12))
CASES = [
    pytest.param(
        limited(queue="team-a"),
        in_queue("prepare"),
        600,
        "not admitted by its queue within deadlines.queue (0:10:00)",
        id="a queue that does not admit the first stage",
    ),
    pytest.param(
        prepared(limited(queue="team-a")),
        in_queue(),
        600,
        "not admitted by its queue within deadlines.queue (0:10:00)",
        id="a queue that does not admit the workers",
    ),
    pytest.param(
        prepared(limited()),
        Observed(jobs=(batch(active=1),), pods=(pod(waiting="ContainerCreating"),)),
        1200,
        "no step within deadlines.start (0:20:00) of attempt",
        id="a gang without a first step",
    ),
    pytest.param(
        prepared(limited(), **BEGUN),
        TRAINS,
        3630,
        "not finished within deadlines.active (1:00:00)",
        id="a training that goes on too long, from its first step",
    ),
    pytest.param(
        prepared(limited(), goodput={"suspendedSeconds": 600}, **BEGUN),
        TRAINS,
        4230,
        "not finished within deadlines.active (1:00:00)",
        id="the time of a pause does not count",
    ),
]


@pytest.mark.parametrize(("job", "seen", "limit", "told"), CASES)
def test_a_deadline_fails_the_job_at_its_moment_and_frees_what_it_held(
    job: Subject, seen: Observed, limit: int, told: str
):
    before = look(job, seen, now=at(limit) - ALMOST)
    assert before.status
    assert before.status["phase"] != "Failed"
    assert before.wake == at(limit)
    late = look(after(job, before), seen, now=at(limit))
    status, reason, message = condition(late, "Failed")
    assert (status, reason) == ("True", "DeadlineExceeded")
    assert message.startswith(told)
    assert late.status
    assert late.status["failure"]["hint"] == "see run.deadlines"
    freed = look(after(job, late), seen, now=at(limit + 1))
    held = [*(pod.name for pod in seen.pods), *(job.name for job in seen.jobs)]
    assert [delete.name for delete in freed.delete] == held
