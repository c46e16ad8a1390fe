"""(job, observed, now) to Outcome: what to do next for a job, decided by the first that applies."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from graft_api import decoding, planner
from graft_api.faults import DecodeError, Fault
from graft_api.plan import Plan
from graft_api.references import replaced
from graft_operator import serving
from graft_operator.decisions import (
    blocked,
    failing,
    finished,
    missing,
    overdue,
    pausing,
    referring,
    running,
)
from graft_operator.observed import Memory, Observed, Subject, memory
from graft_operator.outcome import Outcome
from graft_operator.policies import finishing
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Verdict, false, true
from graft_operator.render.attempt import Attempt
from graft_operator.render.objects import render
from graft_operator.settings import Settings
from graft_operator.status.transitions import events
from graft_operator.status.written import urgent, written

OURS = "graft.dev/operator"
Branch = Callable[[Situation], Verdict | None]

BRANCHES: tuple[Branch, ...] = (
    blocked.verdict,
    finished.verdict,
    pausing.verdict,
    referring.verdict,
    overdue.verdict,
    missing.verdict,
    failing.verdict,
    running.verdict,
)
"""Asked in this order; the first that has an answer decides."""


def sync(subject: Subject, observed: Observed, *, settings: Settings, now: datetime) -> Outcome:
    """What has to be written for the job; nothing where it is as it should be."""
    kept = memory(subject)
    if subject.kind == "ServeDeployment":
        return serving.sync(subject, observed, settings=settings, now=now)
    if subject.deleting or subject.spec.get("managedBy", OURS) != OURS:
        return Outcome()
    if finishing.finished(kept):
        return finishing.retire(subject, observed, now=now)
    try:
        plan = _plan(subject, observed)
    except DecodeError as error:
        return _outcome(subject, observed, kept, _refused(error), now=now)
    situation = Situation(
        subject=subject, plan=plan, memory=kept, observed=observed, settings=settings, now=now
    )
    verdict = next(found for branch in BRANCHES if (found := branch(situation)) is not None)
    outcome = _outcome(subject, observed, kept, verdict, now=now)
    return replace(outcome, create=_objects(situation, verdict)) if verdict.create else outcome


def _plan(subject: Subject, observed: Observed) -> Plan:
    """The plan of the job with the artefacts of the jobs that it reads."""
    if observed.circle:
        raise DecodeError((_circle(observed),))
    uris = {r.reference: r.uri for r in observed.referred if r.uri}
    return planner.plan(decoding.decode_json(json.dumps(replaced(subject.manifest(), uris))))


def _circle(observed: Observed) -> Fault:
    way = " reads ".join(f"{kind} {name}" for kind, _, name in observed.circle)
    text = f"{way}: start one of them from zoo, uri or config"
    return Fault(path=observed.referred[0].reference.path, line=0, message=text)


def token(settings: Settings, uid: str) -> str:
    """The control token of a job: known to the operator alone, its hash to the pods."""
    return hmac.new(settings.control_key, uid.encode(), hashlib.sha256).hexdigest()


def _outcome(
    subject: Subject, observed: Observed, kept: Memory, verdict: Verdict, *, now: datetime
) -> Outcome:
    old = dict(subject.status)
    new = written(subject, verdict, observed, kept, now=now)
    return Outcome(
        patch=verdict.patch,
        delete=verdict.delete,
        checkpoint=verdict.checkpoint,
        status=new if new != old else None,
        urgent=urgent(old, new),
        events=events(kept.conditions, tuple(new["conditions"])),
        wake=verdict.wake,
    )


def _refused(error: DecodeError) -> Verdict:
    text = "; ".join(str(fault) for fault in error.faults)
    return Verdict(
        findings={"Accepted": false("Invalid", text), "Failed": true("ConfigError", text)},
        blocks={"failure": {"class": "ConfigError", "message": text[:1000]}},
    )


def _objects(s: Situation, verdict: Verdict) -> tuple[dict[str, object], ...]:
    stage = s.stage
    if "Prepared" in verdict.findings and verdict.findings["Prepared"].status == "True":
        stage = s.plan.stage("train")
    gang = stage.gang
    secret = token(s.settings, s.subject.uid) if s.settings.control_key else ""
    attempt = Attempt(
        subject=s.subject,
        plan=s.plan,
        stage=stage,
        number=s.memory.attempt,
        settings=s.settings,
        size=min(max(gang.desired, gang.min), gang.max),
        store_known=s.observed.store_known,
        control_hash=hashlib.sha256(secret.encode()).hexdigest() if secret else "",
    )
    return render(attempt)
