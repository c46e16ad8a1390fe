"""Facts as a test tells them: a job at noon, what it says, what stands around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from graft_cli.causes.facts import Event, Facts, Operator
from graft_operator.observed import ChildJob, Pod

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ALIVE = Operator(namespace="graft-system", holder="graft-operator-7d9", age=3.0)


def before(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def job(
    *,
    spec: dict[str, Any] | None = None,
    age: float = 600.0,
    generation: int = 1,
    meta: dict[str, Any] | None = None,
    **status: Any,
) -> dict[str, Any]:
    """A TransferJob whose spec the operator has seen, unless the status says otherwise."""
    metadata = {
        "name": "reviews",
        "namespace": "team-a",
        "generation": generation,
        "creationTimestamp": stamp(before(age)),
    }
    observed = {"observedGeneration": generation, "attempt": 1}
    return {
        "kind": "TransferJob",
        "metadata": metadata | (meta or {}),
        "spec": spec or {},
        "status": {k: v for k, v in (observed | status).items() if v is not None},
    }


def says(kind: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    """A condition."""
    return {"type": kind, "status": status, "reason": reason, "message": message}


def pod(**facts: Any) -> Pod:
    """Worker 0 of the first attempt, not started."""
    known: dict[str, Any] = {
        "name": "reviews-t1-0-x",
        "uid": "u1",
        "role": "worker",
        "attempt": 1,
        "created": before(300),
    }
    return Pod(**(known | facts))


def child(**facts: Any) -> ChildJob:
    """The batch Job of the first attempt; it wants two pods and has none."""
    known: dict[str, Any] = {
        "name": "reviews-t1",
        "uid": "j1",
        "owner": "o1",
        "role": "worker",
        "attempt": 1,
        "plan": "",
        "created": before(300),
        "parallelism": 2,
    }
    return ChildJob(**(known | facts))


def event(reason: str, note: str, *, about: str = "Pod/reviews-t1-0-x") -> Event:
    """A warning of a minute ago."""
    return Event(type="Warning", reason=reason, about=about, note=note, time=before(60))


def facts(raw: dict[str, Any], **around: Any) -> Facts:
    """Everything, with an operator that lives."""
    return Facts(**({"raw": raw, "now": NOON, "operator": ALIVE} | around))
