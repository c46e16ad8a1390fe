"""`run.suspend`: a checkpoint, then no pods; and back again."""

from __future__ import annotations

from datetime import timedelta

from graft_operator.observed import ChildJob
from graft_operator.outcome import Delete
from graft_operator.policies import saving
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Finding, Verdict, false, true

SOON = timedelta(seconds=1)


def verdict(s: Situation) -> Verdict | None:
    """The next step towards a pause, or out of one; None where the job simply runs."""
    if not s.run["suspend"]:
        return _resumed(s)
    if s.job is not None and not s.job.deleting:
        return _stopping(s, s.job)
    if any(not pod.over for pod in s.observed.pods):
        return Verdict(findings={"Suspended": _under_way("Stopping")}, wake=s.now + SOON)
    return _paused(s)


def _resumed(s: Situation) -> Verdict | None:
    if s.memory.conditions.get("Suspended", {}).get("status", "False") == "False":
        return None
    found = {
        "Suspended": false("Resumed", "it goes on from its newest checkpoint"),
        "Running": false("Starting", "the next attempt begins"),
    }
    return Verdict(findings=found, attempt=s.memory.attempt + 1)


def _stopping(s: Situation, job: ChildJob) -> Verdict:
    asked = s.memory.since("Suspended", saving.ASKED)
    if not saving.saved(s, job, asked):
        ask = () if asked else saving.addresses(s)
        finding = _under_way(saving.ASKED)
        return Verdict(findings={"Suspended": finding}, checkpoint=ask, wake=s.now + SOON)
    deletes = [Delete(kind="Job", name=job.name, uid=job.uid)]
    deletes += [
        Delete(kind="Pod", name=pod.name, uid=pod.uid)
        for pod in s.observed.pods
        if pod.role == "rendezvous" and pod.deleting is None
    ]
    finding = _under_way("Stopping")
    return Verdict(findings={"Suspended": finding}, delete=tuple(deletes), wake=s.now + SOON)


def _paused(s: Situation) -> Verdict:
    step = (s.subject.status.get("checkpoint") or {}).get("step")
    saved = "nothing was saved yet" if step is None else f"saved at step {step}"
    message = f"{saved}; set run.suspend to false to go on"
    found = {
        "Suspended": true("SuspendedByUser", message),
        "Running": false("Suspended", "no worker is running"),
        "Progressing": false("NotStarted", "no worker is running"),
    }
    workers = dict(s.subject.status.get("workers") or {}) | {"ready": 0}
    return Verdict(findings=found, blocks={"workers": workers})


def _under_way(reason: str) -> Finding:
    words = {
        saving.ASKED: "the workers save a checkpoint",
        "Stopping": "the workers end",
    }
    return Finding(status="Unknown", reason=reason, message=words[reason])
