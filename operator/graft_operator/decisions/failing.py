"""An attempt cannot go on: another one begins, or the job fails."""

from __future__ import annotations

from graft_api.vocabulary import FailureClass
from graft_operator.observed import ChildJob
from graft_operator.policies import deadlines, losses, restarts
from graft_operator.policies.causes import Cause, cause
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Finding, Verdict, false, true
from graft_operator.status import blocks

SHOWN = {
    "StoreLost": "RendezvousLost",
    "NodeLost": "WorkerLost",
    "HangDetected": "HangDetected",
}
DISRUPTED = "Disrupted"


def verdict(s: Situation) -> Verdict | None:
    """What follows from the loss of an attempt; None while it can go on."""
    job = s.job
    if job is None:
        return None
    found = _cause(s, job)
    return None if found is None else _decided(s, found)


def _cause(s: Situation, job: ChildJob) -> Cause | None:
    if losses.broken(s, job):
        return cause(s, job, tuple(s.newest().values()))
    since = deadlines.hung_since(s)
    if since is None:
        return None
    return Cause(
        failure_class=FailureClass.INFRASTRUCTURE,
        reason="HangDetected",
        message=f"no step since {since:%H:%M:%S}, longer than {deadlines.hang_limit(s)}",
        hint="see the stacks in the job's logs, or allow more by run.deadlines.hang",
        step=(s.subject.status.get("progress") or {}).get("step"),
    )


def _decided(s: Situation, found: Cause) -> Verdict:
    decision = restarts.decide(found, s.memory, budget=s.stage.budget, now=s.now)
    kept = {"restarts": decision.restarts, "failure": blocks.failure(found)}
    if decision.failed:
        return Verdict(findings=_failed(s, found, decision), blocks=kept)
    return Verdict(
        findings=_again(s, found),
        attempt=s.memory.attempt + 1,
        blocks=kept | {"workers": _none_ready(s)},
        wake=decision.start,
    )


def _failed(s: Situation, found: Cause, decision: restarts.Decision) -> dict[str, Finding]:
    over = false("Finished", "no worker is running")
    findings = {"Failed": true(decision.failed, decision.message), "Running": over}
    if not s.training:
        findings["Prepared"] = false(str(found.failure_class), found.message)
    return findings


def _again(s: Situation, found: Cause) -> dict[str, Finding]:
    free = found.failure_class == FailureClass.DISRUPTION
    shown = SHOWN.get(found.reason, DISRUPTED if free else "WorkerFailed")
    message = f"{found.message}; attempt {s.memory.attempt + 1} begins from the newest checkpoint"
    return {
        "Running": false(shown, message),
        "Progressing": false("NotStarted", "the next attempt has not begun yet"),
    }


def _none_ready(s: Situation) -> dict[str, object]:
    return dict(s.subject.status.get("workers") or {}) | {"ready": 0}
