"""What a new wish for the number of workers asks of a running gang."""

from __future__ import annotations

from graft_operator.observed import ChildJob
from graft_operator.outcome import Patch
from graft_operator.policies.situation import Situation


def resize(s: Situation, job: ChildJob) -> tuple[Patch, ...]:
    """The change of an elastic gang's Job to the wanted size; nothing where it has it.

    The bounds are those of the running attempt: its pods were told them and cannot be told anew.
    """
    wanted = target(s, job)
    if wanted == job.parallelism:
        return ()
    body = {
        "metadata": {"uid": job.uid},
        "spec": {"parallelism": wanted, "completions": wanted},
    }
    return (Patch(kind="Job", name=job.name, uid=job.uid, body=body),)


def target(s: Situation, job: ChildJob) -> int:
    """The size that the attempt should have; a fixed gang keeps its own until the next."""
    gang = s.stage.gang
    if gang.min == gang.max:
        return job.parallelism
    return min(max(gang.desired, gang.min), gang.max)


def outgrown(s: Situation, job: ChildJob) -> bool:
    """Whether a gang of fixed size was asked for another: a new attempt from a checkpoint."""
    gang = s.stage.gang
    return s.training and gang.min == gang.max and job.parallelism != gang.desired
