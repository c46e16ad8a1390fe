"""(ServeDeployment, observed, now) to Outcome: its children, its model, its status."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from graft_api import decoding, planner
from graft_api.faults import DecodeError
from graft_api.references import replaced
from graft_operator.observed import Observed, Referred, Subject
from graft_operator.outcome import Delete, Event, Outcome, Patch
from graft_operator.policies import rollout
from graft_operator.policies.rollout import Arrival, Choice, Model
from graft_operator.policies.verdict import Finding, false
from graft_operator.render import serving as rendering
from graft_operator.render.serving import Serving
from graft_operator.settings import Settings
from graft_operator.status import served
from graft_operator.status.written import urgent

Object = dict[str, Any]

BUSY = timedelta(seconds=2)
SETTLED = timedelta(seconds=15)
AGAIN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One ServeDeployment at one moment."""

    subject: Subject
    observed: Observed
    settings: Settings
    now: datetime


def sync(subject: Subject, observed: Observed, *, settings: Settings, now: datetime) -> Outcome:
    """What has to be written for the deployment; nothing where it is as it should be."""
    look = _Look(subject=subject, observed=observed, settings=settings, now=now)
    if subject.deleting:
        return Outcome()
    if trouble := observed.conflict or observed.refused:
        reason = "NameConflict" if observed.conflict else "ChildCreateFailed"
        return _told(look, {"Ready": false(reason, trouble)}, wake=now + AGAIN)
    try:
        return _synced(look)
    except DecodeError as error:
        text = "; ".join(str(fault) for fault in error.faults)
        return _told(look, {f: false("Invalid", text) for f in ("Accepted", "Ready")})


def _synced(look: _Look) -> Outcome:
    """As `sync`. Raises DecodeError: the deployment asks for what this version cannot do."""
    choice = rollout.choose(look.subject, _found(look), _missing(look), now=look.now)
    wanted = _children(look, choice)
    choice = rollout.judged(choice, _arrival(look, wanted), now=look.now)
    wanted = _children(look, choice)
    seen = look.observed
    outcome = _told(look, served.findings(choice, seen.deployed, seen.held), choice=choice)
    create, patch, delete = _changes(look, wanted)
    settled = choice.state in ("Stable", "Degraded", "Waiting") and not (create or patch or delete)
    quiet = settled and (seen.deployed is None or seen.deployed.complete)
    return Outcome(
        create=create,
        patch=patch,
        delete=delete,
        status=outcome.status,
        urgent=outcome.urgent,
        events=_events(look.subject, choice),
        wake=look.now + (SETTLED if quiet else BUSY),
    )


def _told(
    look: _Look,
    found: dict[str, Finding],
    *,
    choice: Choice | None = None,
    wake: datetime | None = None,
) -> Outcome:
    old = dict(look.subject.status)
    new = served.written(
        look.subject,
        found,
        choice=choice,
        deployed=look.observed.deployed,
        now=look.now,
    )
    return Outcome(status=new if new != old else None, urgent=urgent(old, new), wake=wake)


def _missing(look: _Look) -> Referred | None:
    return next((r for r in look.observed.referred if not r.uri), None)


def _found(look: _Look) -> Model | None:
    """The model that the spec names, where it is there."""
    key = rollout.source(look.subject)
    for referred in look.observed.referred:
        if referred.uri:
            return Model(uri=referred.uri, digest=referred.digest, source=key)
    origin = (look.subject.spec.get("model") or {}).get("from") or {}
    return Model(uri=str(origin["uri"]), source=key) if origin.get("uri") else None


def _children(look: _Look, choice: Choice) -> tuple[Object, ...]:
    """The children with the wanted model; none before there is one. The spec is judged anyway."""
    manifest, target = look.subject.manifest(), choice.target
    if target is not None:
        manifest["spec"] = manifest["spec"] | {"model": {"from": {"uri": target.uri}}}
    plan = planner.plan(decoding.decode_json(json.dumps(replaced(manifest, {}))))
    if target is None:
        return ()
    stage = plan.stage("serve")
    return rendering.render(Serving(subject=look.subject, stage=stage, settings=look.settings))


def _arrival(look: _Look, wanted: tuple[Object, ...]) -> Arrival:
    """How the pods are, once they are those of the wanted model."""
    deployed, child = look.observed.deployed, look.observed.children.get("Deployment")
    due = next((rendering.stamp(b) for b in wanted if b["kind"] == "Deployment"), "")
    if deployed is None or child is None or child.stamp != due:
        return Arrival()
    if not deployed.wanted:
        return Arrival(none=True)
    return Arrival(complete=deployed.complete, broken=look.observed.broken)


def _changes(
    look: _Look, wanted: tuple[Object, ...]
) -> tuple[tuple[Object, ...], tuple[Patch, ...], tuple[Delete, ...]]:
    """Children that are missing, differ, or are wanted no more."""
    there = look.observed.children
    create = tuple(body for body in wanted if body["kind"] not in there)
    patch = tuple(
        Patch(kind=b["kind"], name=b["metadata"]["name"], uid=there[b["kind"]].uid, body=b)
        for b in wanted
        if b["kind"] in there and there[b["kind"]].stamp != rendering.stamp(b)
    )
    due = {body["kind"] for body in wanted}
    name = rendering.name_of(look.subject)
    delete = tuple(
        Delete(kind=kind, name=name, uid=child.uid)
        for kind, child in there.items()
        if wanted and kind not in due
    )
    return create, patch, delete


def _events(subject: Subject, choice: Choice) -> tuple[Event, ...]:
    """One for each change of the roll-out's state."""
    old = (subject.status.get("rollout") or {}).get("state")
    new = "Stable" if choice.state == "Waiting" and choice.stable else choice.state
    if new == old or choice.state == "Waiting":
        return ()
    if choice.state == "Degraded":
        return (Event(type="Warning", reason="RolledBack", message=choice.message[:200]),)
    if choice.state == "Stable" and choice.stable:
        text = f"{choice.stable.uri} answers"
        return (Event(type="Normal", reason="RolledOut", message=text[:200]),)
    return (Event(type="Normal", reason="RollingOut", message="a new model is being loaded"),)
