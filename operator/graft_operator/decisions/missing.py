"""The attempt that is due has no Job yet: what is left of others goes first, then it is made."""

from __future__ import annotations

from datetime import datetime, timedelta

from graft_operator.observed import Pod
from graft_operator.policies import losses
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Finding, Verdict, false
from graft_operator.status import blocks

SHORTEST, LONGEST = timedelta(seconds=0.25), timedelta(seconds=5)  # pods are not watched
FIRST_LOOK = timedelta(seconds=5)


def verdict(s: Situation) -> Verdict | None:
    """The creation of the attempt, or what it waits for."""
    if s.job is not None:
        return None
    deletes = losses.clearing(s)
    left = losses.leftovers(s)
    if deletes or left:
        return Verdict(delete=deletes, wake=s.now + _until_they_end(left, now=s.now))
    start = s.memory.restarts.get("nextTime")
    if start and s.now < datetime.fromisoformat(start):
        return Verdict(wake=datetime.fromisoformat(start))
    desired = s.plan.stage("train").gang.desired
    workers = blocks.unready(dict(s.subject.status.get("workers") or {}), desired=desired)
    return Verdict(
        findings=_findings(s), create=True, blocks={"workers": workers}, wake=s.now + FIRST_LOOK
    )


def _until_they_end(pods: tuple[Pod, ...], *, now: datetime) -> timedelta:
    """How long to wait before the next look: little at first, then a quarter of the wait so far."""
    since = min((pod.deleting for pod in pods if pod.deleting), default=now)
    return min(max((now - since) / 4, SHORTEST), LONGEST)


def _findings(s: Situation) -> dict[str, Finding]:
    healed = {
        "Ready": Finding(status="True", reason="AsPlanned", message="nothing needs to be done")
    }
    if not s.training:
        return healed | {"Prepared": false("Preparing", "the data is being read and tokenised")}
    if s.memory.attempt > 1:
        return healed  # why the last attempt ended stays said until this one runs
    return healed | {"Running": false("GangCreated", "the workers are being made")}
