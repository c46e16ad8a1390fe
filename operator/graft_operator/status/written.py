"""The whole status after one look, and whether it is worth a write at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from graft_api.jobstatus import Condition
from graft_api.localconditions import timestamp
from graft_api.phases import phase
from graft_operator.observed import Memory, Observed, Subject
from graft_operator.policies.verdict import Verdict
from graft_operator.status import blocks
from graft_operator.status.conditions import conditions
from graft_operator.status.display import display
from graft_operator.status.goodput import Moments, Told, counted
from graft_operator.version import VERSION

Object = dict[str, Any]

PROGRESS = ("progress", "metrics", "checkpoint", "goodput", "display", "lastStepTime")


def written(
    subject: Subject, verdict: Verdict, observed: Observed, memory: Memory, *, now: datetime
) -> Object:
    """The status as it shall stand; parts that nothing new is known of stay."""
    status: Object = dict(subject.status)
    status |= {"observedGeneration": subject.generation, "operatorVersion": VERSION}
    status["conditions"] = conditions(
        verdict.findings, memory, generation=subject.generation, now=now
    )
    status["attempt"] = verdict.attempt or memory.attempt
    status.setdefault("startTime", timestamp(now))
    status["selector"] = (
        f"graft.dev/job={subject.name},graft.dev/kind={subject.kind},graft.dev/role=worker"
    )
    report = observed.report
    if report is not None and report.attempt != memory.attempt:
        report = None
    status |= blocks.reported(subject, report, now=now)
    status |= verdict.blocks
    status["phase"] = phase(Condition.model_validate(c) for c in status["conditions"])
    if status["phase"] in ("Complete", "Failed"):
        status.setdefault("completionTime", timestamp(now))
    moments = Moments(created=subject.created, now=now, lost=_lost(status, observed, memory))
    told = Told.of(report, verdict.spent)
    status["goodput"] = counted(subject.status, status, told, moments)
    status = {key: value for key, value in status.items() if value is not None}
    status["display"] = display(subject, status)
    return status


def _lost(status: Object, observed: Observed, memory: Memory) -> datetime | None:
    """When the gang stopped training, as its pods tell it; of one that hangs, its last step.

    A gang may have gone on for long after it had lost a pod: it trained at least until that step.
    """
    reasons = {c["type"]: c["reason"] for c in status["conditions"]}
    said = status.get("lastStepTime")
    step = datetime.fromisoformat(said) if said else None
    if reasons.get("Running") == "HangDetected" and step:
        return step
    job = observed.job("worker", memory.attempt)
    moments = (
        pod.node_lost or pod.deleting or pod.ended
        for pod in (observed.pods_of(job) if job else ())
        if pod.phase != "Succeeded"
    )
    first = min((moment for moment in moments if moment), default=None)
    return max(first, step) if first and step else first


def urgent(old: Object, new: Object) -> bool:
    """Whether more than progress changed: messages and times of conditions do not count."""
    return _weighty(old) != _weighty(new)


def _weighty(status: Object) -> Object:
    kept = {key: value for key, value in status.items() if key not in PROGRESS}
    kept["conditions"] = [
        (c["type"], c["status"], c["reason"]) for c in status.get("conditions") or ()
    ]
    return kept
