"""What happens to a job that has ended: nothing, until its time to live is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from graft_api.scalars import seconds
from graft_operator.observed import Memory, Observed, Subject
from graft_operator.outcome import Delete, Outcome

DEFAULT = "7d"


def finished(memory: Memory) -> bool:
    """Whether the job has ended; nothing starts it again."""
    return memory.is_true("Complete") or memory.is_true("Failed")


def retire(subject: Subject, observed: Observed, *, now: datetime) -> Outcome:
    """Frees what the job still holds; at the end of its time to live removes it.

    Finished Jobs stay for their logs; a store pod, or pods that still run, do not.
    """
    deletes = [
        Delete(kind="Pod", name=pod.name, uid=pod.uid, grace_seconds=None)
        for pod in observed.pods
        if not pod.over and pod.deleting is None
    ]
    deletes += [
        Delete(kind="Job", name=job.name, uid=job.uid)
        for job in observed.jobs
        if not job.over and not job.deleting
    ]
    end = expiry(subject)
    if end is not None and now >= end:
        deletes.append(Delete(kind=subject.kind, name=subject.name, uid=subject.uid))
    return Outcome(delete=tuple(deletes), wake=end if end and now < end else None)


def expiry(subject: Subject) -> datetime | None:
    """When the job is removed; None while it has not ended."""
    ended = subject.status.get("completionTime")
    if not ended:
        return None
    run = subject.spec.get("run") or {}
    alive = timedelta(seconds=seconds(run.get("ttlAfterFinished") or DEFAULT))
    return datetime.fromisoformat(ended) + alive
