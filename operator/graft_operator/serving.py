"""(ServeDeployment, observed, now) to Outcome: its children, its model, its status."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from graft_api import decoding, planner
from graft_api.faults import DecodeError
from graft_api.references import replaced
from graft_api.servedeployment import ServeDeployment
from graft_api.vocabulary import Variant
from graft_operator.observed import Deployed, Observed, Referred, Subject
from graft_operator.outcome import Delete, Outcome, Patch
from graft_operator.policies import canary, offered, rollout
from graft_operator.policies.canary import Rules, Sight
from graft_operator.policies.rollout import Arrival, Choice, Model
from graft_operator.policies.verdict import Finding, false
from graft_operator.render import children, routing
from graft_operator.render import serving as rendering
from graft_operator.render.children import CANARY, ROUTE, Serving
from graft_operator.settings import Settings
from graft_operator.status import reached, rollouts, scaled, served
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
    routed = offered.routed(look.subject, look.observed.apis, look.settings)
    rules = canary.rules(_decoded(look, None).spec.rollout, routed=routed)
    gradual = bool(rules.steps)
    choice = rollout.choose(
        look.subject, _found(look), _missing(look), gradual=gradual, now=look.now
    )
    before, wanted = choice, _children(look, choice, rules)
    sight = _sight(look, wanted)
    choice = rollout.judged(choice, sight.stable, now=look.now)
    choice = canary.judged(choice, rules, sight, now=look.now)
    seen = look.observed
    found = served.findings(choice, seen.deployed, seen.held)
    found |= rollouts.findings(look.subject, choice, rules, sight, seen)
    found |= reached.findings(look.subject, seen, look.settings)
    found |= scaled.findings(look.subject, seen, look.settings)
    outcome = _told(look, found, choice=choice)
    if rollouts.moved(look.subject, choice):
        return replace(outcome, wake=look.now + BUSY)
    wanted = wanted if choice == before else _children(look, choice, rules)
    create, patch, delete = _changes(look, wanted)
    settled = choice.state in ("Stable", "Degraded", "Waiting") and not (create or patch or delete)
    quiet = settled and (seen.deployed is None or seen.deployed.complete)
    wake = look.now + (SETTLED if quiet else BUSY)
    return replace(outcome, create=create, patch=patch, delete=delete, wake=wake)


def _told(
    look: _Look,
    found: dict[str, Finding],
    *,
    choice: Choice | None = None,
    wake: datetime | None = None,
) -> Outcome:
    old = dict(look.subject.status)
    new = served.written(look.subject, found, choice=choice, seen=look.observed, now=look.now)
    return Outcome(
        status=new if new != old else None,
        urgent=urgent(old, new),
        events=rollouts.events(look.subject, choice, new) if choice else (),
        wake=wake,
    )


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


def _decoded(look: _Look, model: Model | None) -> ServeDeployment:
    """The deployment with that model; with None as it was written, before there is one."""
    manifest = look.subject.manifest()
    if model is not None:
        manifest["spec"] = manifest["spec"] | {"model": {"from": {"uri": model.uri}}}
    text = json.dumps(replaced(manifest, {}))
    return cast(ServeDeployment, decoding.decode_json(text))


def _children(look: _Look, choice: Choice, rules: Rules) -> tuple[Object, ...]:
    """The children with the wanted models; none before there is one. The spec is judged anyway."""
    weight = canary.weight(choice, rules) if rules.routed else None
    stable = replace(_serving(look, choice.target), tried=choice.canary is not None, weight=weight)
    if choice.target is None:
        return ()
    count = _canary_pods(look, choice, rules, usual=stable.stage.gang.desired)
    if count is None:
        return rendering.render(stable)
    trial = replace(_serving(look, choice.canary), variant=Variant.CANARY)
    return (*rendering.render(stable), rendering.canary(trial, count))


def _serving(look: _Look, model: Model | None) -> Serving:
    stage = planner.plan(_decoded(look, model)).stage("serve")
    scaler = offered.scaler(look.subject, look.observed.apis, look.settings)
    return Serving(subject=look.subject, stage=stage, settings=look.settings, scaler=scaler)


def _canary_pods(look: _Look, choice: Choice, rules: Rules, *, usual: int) -> int | None:
    """How many there are to be; None: not even their Deployment."""
    if choice.canary is None or choice.trial is None:
        return None
    if choice.state == "RollingBack":
        there = look.observed.canary
        return (
            0 if there is not None and (there.deployed.wanted or there.deployed.replicas) else None
        )
    stable = look.observed.deployed
    return rules.pods(choice.trial.step, stable.wanted if stable else usual)


def _sight(look: _Look, wanted: tuple[Object, ...]) -> Sight:
    """How the pods of both Deployments are, each once they are those of the wanted model."""
    seen = look.observed
    stable = _arrival(look, wanted, "Deployment", seen.deployed, seen.broken)
    if seen.canary is None:
        return Sight(stable=stable)
    broken = seen.canary.broken
    tried = _arrival(look, wanted, CANARY, seen.canary.deployed, broken)
    return Sight(stable=stable, canary=tried, answers=seen.canary.answers, there=True)


def _arrival(
    look: _Look, wanted: tuple[Object, ...], key: str, deployed: Deployed | None, broken: str
) -> Arrival:
    child = look.observed.children.get(key)
    due = next((children.stamp(body) for body in wanted if children.key(body) == key), "")
    if deployed is None or child is None or child.stamp != due:
        return Arrival()
    if not deployed.wanted:
        return Arrival(none=True)
    return Arrival(
        complete=deployed.complete,
        broken=broken,
        stalled=deployed.current and deployed.stalled,
        lacking=deployed.lacking,
    )


def _changes(
    look: _Look, wanted: tuple[Object, ...]
) -> tuple[tuple[Object, ...], tuple[Patch, ...], tuple[Delete, ...]]:
    """Children that are missing, differ, or are wanted no more.

    A route that gives a canary less does so before anything else changes.
    """
    there, due = look.observed.children, {children.key(body): body for body in wanted}
    if less := _less(look, due.get(ROUTE)):
        return (), (less,), ()
    create = tuple(body for key, body in due.items() if key not in there)
    patch = tuple(
        _patch(body, there[key].uid)
        for key, body in due.items()
        if key in there and there[key].stamp != children.stamp(body)
    )
    delete = tuple(
        Delete(kind=children.kind_of(key), name=children.name_of(look.subject, key), uid=c.uid)
        for key, c in there.items()
        if wanted and key not in due
    )
    return create, patch, delete


def _less(look: _Look, due: Object | None) -> Patch | None:
    """The patch of a route that gives the canary more than is due; None: it does not."""
    route, known = look.observed.route, look.observed.children.get(ROUTE)
    if due is None or route is None or known is None:
        return None
    return _patch(due, known.uid) if route.weight > routing.share(due["spec"]) else None


def _patch(body: Object, uid: str) -> Patch:
    name = body["metadata"]["name"]
    return Patch(kind=body["kind"], name=name, uid=uid, body=routing.patched(body))
