"""Everything that is known of a job in its cluster, asked for side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from graft_api.vocabulary import Role
from graft_cli.causes.facts import SERVE, Event, Facts, Operator
from graft_cli.endings import EndedError, Ending
from graft_operator.cluster.requests import Ref, get
from graft_operator.observed import ChildJob, Pod

from . import children, logs, queues, view
from .api import Api, Object, server_time, together
from .naming import Found

LEASE = "graft-operator"
HOME = "graft-system"  # where the chart puts the operator
HOME_VARIABLE = "GRAFT_OPERATOR_NAMESPACE"
PAGE, MOST_PAGES = 500, 6
EXCERPT_LINES = 12
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The facts, and what could not be looked at for want of a right."""

    facts: Facts
    hidden: tuple[str, ...]


def gather(api: Api, found: Found, *, operator_namespace: str | None = None) -> Gathered:
    """What the cluster knows of the job; a missing right hides a part, not the whole.

    Raises:
        EndedError: the server does not answer.
    """
    home = operator_namespace or os.environ.get(HOME_VARIABLE) or HOME
    hidden: list[str] = []

    def allowed(what: str, work: Callable[[], T]) -> Callable[[], T | None]:
        return lambda: _allowed(what, work, hidden)

    works: tuple[Callable[[], Any], ...] = (
        lambda: _now(api, found),
        allowed(f"the operator's Lease in {home}", lambda: _operator(api, home)),
        allowed("batch Jobs", lambda: children.batch_jobs(api, found)),
        allowed("pods", lambda: children.pods(api, found)),
        allowed("events", lambda: _raw_events(api, found)),
        allowed("claims", lambda: _claims(api, found)),
    )
    now, lease, jobs, pods, events, claims = together(*works)
    queue = allowed("the queue", lambda: queues.look(api, found, jobs or ()))
    facts = Facts(
        raw=found.raw,
        now=now,
        operator=_aged(lease, home, now),
        queue=queue() if queues.waits(found) else None,
        jobs=jobs or (),
        pods=pods or (),
        events=_ours(events or [], found, jobs or (), pods or ()),
        claims=claims,
        excerpt=_excerpt(api, pods or ()) if needs_excerpt(found.raw) else (),
    )
    return Gathered(facts=facts, hidden=tuple(hidden))


def needs_excerpt(raw: Object) -> bool:
    """Whether the end of a worker's log says more than the status."""
    reason = view.condition(raw, "Running").get("reason")
    return view.holds(raw, "Failed") or reason in ("WorkerFailed", "HangDetected")


def _allowed(what: str, work: Callable[[], T], hidden: list[str]) -> T | None:
    try:
        return work()
    except EndedError as error:
        if error.code not in (Ending.FORBIDDEN, Ending.NOT_FOUND):
            raise
        hidden.append(f"{what}: {error.message}")
        return None


def _now(api: Api, found: Found) -> datetime:
    """The server's clock, by which all times of the cluster are to be read."""
    return server_time(api.send(get(found.ref)))


def _operator(api: Api, home: str) -> Object:
    return api.find(Ref(kind="Lease", namespace=home, name=LEASE)) or {}


def _aged(lease: Object | None, home: str, now: datetime) -> Operator | None:
    if lease is None:
        return None
    spec = lease.get("spec") or {}
    renewed = view.moment(spec.get("renewTime"))
    age = (now - renewed).total_seconds() if renewed else None
    return Operator(namespace=home, holder=str(spec.get("holderIdentity") or ""), age=age)


def _claims(api: Api, found: Found) -> Mapping[str, Object]:
    raws = api.items(Ref(kind="PersistentVolumeClaim", namespace=found.ref.namespace))
    return {raw["metadata"]["name"]: raw for raw in raws}


def _raw_events(api: Api, found: Found) -> list[Object]:
    ref, more = Ref(kind="Event", namespace=found.ref.namespace), ""
    raws: list[Object] = []
    for _ in range(MOST_PAGES):
        page = api.read(ref, {"limit": PAGE, "continue": more})
        raws += page.get("items") or []
        more = str(page["metadata"].get("continue") or "")
        if not more:
            break
    return raws


def _ours(
    raws: list[Object], found: Found, jobs: tuple[ChildJob, ...], pods: tuple[Pod, ...]
) -> tuple[Event, ...]:
    """The events that speak of the job or of what was made for it, newest first."""
    name = found.ref.name
    ours = {f"{found.ref.kind}/{name}"}
    ours |= {f"Job/{job.name}" for job in jobs} | {f"Pod/{pod.name}" for pod in pods}
    ours |= {f"Deployment/{name}-serve"} if found.ref.kind == SERVE else set()
    made = f"ReplicaSet/{name}-serve-" if found.ref.kind == SERVE else None
    told = [
        event
        for event in map(_event, raws)
        if event.about in ours or _claim(event) or (made and event.about.startswith(made))
    ]
    return tuple(sorted(told, key=lambda event: event.time, reverse=True))


def _claim(event: Event) -> bool:
    return event.about.startswith("PersistentVolumeClaim/") and event.type == "Warning"


def _event(raw: Object) -> Event:
    about, series = raw.get("regarding") or {}, raw.get("series") or {}
    times = (
        series.get("lastObservedTime"),
        raw.get("deprecatedLastTimestamp"),
        raw.get("eventTime"),
        raw["metadata"].get("creationTimestamp"),
    )
    time = next((view.moment(text) for text in times if text), None)
    return Event(
        type=str(raw.get("type") or "Normal"),
        reason=str(raw.get("reason") or ""),
        about=f"{about.get('kind', '')}/{about.get('name', '')}",
        note=str(raw.get("note") or ""),
        time=time or datetime.min.replace(tzinfo=UTC),
        count=int(series.get("count") or raw.get("deprecatedCount") or 1),
    )


def _excerpt(api: Api, pods: tuple[Pod, ...]) -> tuple[str, ...]:
    """The end of the log of the worker that failed last."""
    bad = [pod for pod in pods if pod.role != Role.RENDEZVOUS and children.failed(pod)]
    if not bad:
        return ()
    last = max(bad, key=lambda pod: pod.ended or pod.created)
    wish = logs.Wish(tail=EXCERPT_LINES)
    try:
        return tuple(text for _, text in logs.stamped(api, last, wish))
    except EndedError:
        return ()
