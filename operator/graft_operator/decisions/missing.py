"""The attempt that is due has no Job yet: what is left of others goes first, then it is made."""

from __future__ import annotations

from datetime import datetime, timedelta

from graft_operator.policies import losses
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Finding, Verdict, false
from graft_operator.status import blocks

SOON = timedelta(seconds=1)
FIRST_LOOK = timedelta(seconds=5)


def verdict(s: Situation) -> Verdict | None:
    """The creation of the attempt, or what it waits for."""
    if s.job is not None:
        return None
    deletes = losses.clearing(s)
    if deletes or losses.leftovers(s):
        return Verdict(delete=deletes, wake=s.now + SOON)
    start = s.memory.restarts.get("nextTime")
    if start and s.now < datetime.fromisoformat(start):
        return Verdict(wake=datetime.fromisoformat(start))
    desired = s.plan.stage("train").gang.desired
    workers = blocks.unready(dict(s.subject.status.get("workers") or {}), desired=desired)
    return Verdict(
        findings=_findings(s), create=True, blocks={"workers": workers}, wake=s.now + FIRST_LOOK
    )


def _findings(s: Situation) -> dict[str, Finding]:
    healed = {
        "Ready": Finding(status="True", reason="AsPlanned", message="nothing needs to be done")
    }
    if not s.training:
        return healed | {"Prepared": false("Preparing", "the data is being read and tokenised")}
    if s.memory.attempt > 1:
        return healed  # why the last attempt ended stays said until this one runs
    return healed | {"Running": false("GangCreated", "the workers are being made")}
