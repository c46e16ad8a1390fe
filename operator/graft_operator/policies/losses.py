"""Which members of a gang are lost, and what that asks for."""

from __future__ import annotations

from datetime import datetime

from graft_operator.observed import ChildJob, Pod
from graft_operator.outcome import Delete
from graft_operator.policies.situation import Situation

# What is left of a broken gang cannot save, since a save needs all ranks. One second is the least
# whose end a kubelet confirms.
SHORT_GRACE = 1
STORE = "rendezvous"
KEPT_ATTEMPTS = 2  # whose pods stay to be read


def broken(s: Situation, job: ChildJob) -> bool:
    """Whether the attempt cannot go on, so that a new one has to begin.

    An elastic gang goes on with those who are left. Of a fixed one every member counts; a silent
    node gets its time, since its pods may still run and write.
    """
    if job.failure:
        return True
    if job.complete or job.suspended:
        return False
    gang = s.stage.gang
    if s.training and gang.max > 1 and _store_gone(s):
        return True
    if s.training and gang.min < gang.max:
        return False
    return any(_lost(s, pod) for pod in s.newest().values())


def silent(s: Situation) -> tuple[Pod, ...]:
    """Pods whose node does not answer, and whose time is not over yet."""
    return tuple(pod for pod in s.newest().values() if pod.node_lost and not _expired(s, pod))


def expired(s: Situation) -> tuple[Pod, ...]:
    """Pods whose node has not answered for `deadlines.nodeLost`."""
    return tuple(pod for pod in s.pods if pod.node_lost and _expired(s, pod))


def next_expiry(s: Situation) -> datetime | None:
    """When the time of the first silent pod is over."""
    moments = [p.node_lost + s.deadline("nodeLost") for p in silent(s) if p.node_lost]
    return min(moments, default=None)


def clearing(s: Situation) -> tuple[Delete, ...]:
    """The removal of everything that is left of attempts before the one that is due.

    Pods on lost nodes go by force: their kubelet cannot confirm anything.
    """
    due = s.memory.attempt
    deletes = [_pod(pod, s) for pod in s.observed.pods if pod.attempt < due and _removable(pod, s)]
    deletes += [
        Delete(kind="Job", name=job.name, uid=job.uid)
        for job in s.observed.jobs
        if job.attempt < due and not job.deleting and not _kept(job, due)
    ]
    return tuple(deletes)


def _kept(job: ChildJob, due: int) -> bool:
    """Whether an ended Job stays for its logs: a good prepare stage, and the newest failures."""
    if job.role == "prepare" and job.complete:
        return True
    return job.over and job.attempt >= due - KEPT_ATTEMPTS


def leftovers(s: Situation) -> tuple[Pod, ...]:
    """Pods of earlier attempts that may still write; the next attempt waits for their end."""
    due = s.memory.attempt
    return tuple(
        pod
        for pod in s.observed.pods
        if pod.attempt < due and pod.role != STORE and not pod.over and not pod.node_lost
    )


def _lost(s: Situation, pod: Pod) -> bool:
    if pod.node_lost:
        return _expired(s, pod)
    return pod.phase == "Failed" or pod.deleting is not None


def _expired(s: Situation, pod: Pod) -> bool:
    return pod.node_lost is not None and s.now >= pod.node_lost + s.deadline("nodeLost")


def _store_gone(s: Situation) -> bool:
    """Whether the rendezvous store was there and is not any more."""
    stores = [p for p in s.observed.pods if (p.role, p.attempt) == (STORE, s.memory.attempt)]
    if any(not p.over and not p.deleting for p in stores):
        return False
    return any(pod.started for pod in s.newest().values())


def _removable(pod: Pod, s: Situation) -> bool:
    if pod.node_lost:
        return _expired(s, pod) or pod.deleting is None
    return not pod.over and pod.deleting is None


def _pod(pod: Pod, s: Situation) -> Delete:
    grace = 0 if pod.node_lost and _expired(s, pod) else SHORT_GRACE
    return Delete(kind="Pod", name=pod.name, uid=pod.uid, grace_seconds=grace)
