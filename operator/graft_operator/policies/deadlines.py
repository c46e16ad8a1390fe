"""Times that a job may take, and which of them is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from graft_operator.observed import ChildJob
from graft_operator.policies.situation import Situation

LAUNCHERS_FIRST = timedelta(minutes=1)
LEAST_HANG = timedelta(minutes=5)


def overdue(s: Situation, job: ChildJob) -> str:
    """What took too long, in words; empty where everything is in time."""
    for moment, words in _limits(s, job):
        if s.now >= moment:
            return words
    return ""


def next_deadline(s: Situation, job: ChildJob) -> datetime | None:
    """The first moment at which something will have taken too long."""
    return min((moment for moment, _ in _limits(s, job)), default=None)


def _limits(s: Situation, job: ChildJob) -> Iterator[tuple[datetime, str]]:
    if job.suspended:
        limit = s.deadline("queue")
        yield job.created + limit, f"not admitted by its queue within deadlines.queue ({limit})"
        return
    began = first_step(s)
    if began is None:
        limit = s.deadline("start")
        yield job.created + limit, f"no step within deadlines.start ({limit}) of attempt"
        return
    limit = s.deadline("active") + timedelta(seconds=paused(s))
    yield began + limit, f"not finished within deadlines.active ({s.deadline('active')})"


def first_step(s: Situation) -> datetime | None:
    """When the first step of the job ended; None before."""
    text = s.subject.status.get("firstStepTime")
    return datetime.fromisoformat(text) if text else None


def paused(s: Situation) -> float:
    """Seconds for which the user had suspended the job."""
    goodput = s.subject.status.get("goodput") or {}
    return float(goodput.get("suspendedSeconds") or 0)


def hung_since(s: Situation) -> datetime | None:
    """When the gang made its last step, if that is longer ago than `deadlines.hang` allows."""
    text = s.subject.status.get("lastStepTime")
    report = s.observed.report
    if not text or report is None or report.attempt != s.memory.attempt:
        return None
    if report.step != (s.subject.status.get("progress") or {}).get("step"):
        return None
    if report.state not in ("Training", "Starting"):
        return None
    last = datetime.fromisoformat(text)
    return last if s.now - last >= hang_limit(s) else None


def hang_limit(s: Situation) -> timedelta:
    """How long a gang may go without a step before the operator itself ends it.

    Longer than its launchers wait: they see a hang sooner, and save the stacks before they end it.
    """
    given = s.run["deadlines"]["hang"]
    return LEAST_HANG if given == "auto" else s.deadline("hang") + LAUNCHERS_FIRST
