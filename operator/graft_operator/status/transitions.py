"""Events from what changed between two sets of conditions: one per transition, never per step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from graft_operator.outcome import Event

LONGEST = 200
Kind = tuple[Literal["Normal", "Warning"], str]

TABLE: Mapping[tuple[str, str, str], Kind] = {
    ("Prepared", "True", ""): ("Normal", "DataPrepared"),
    ("Running", "False", "GangCreated"): ("Normal", "GangCreated"),
    ("Running", "True", "GangFormed"): ("Normal", "GangPlaced"),
    ("Running", "True", "Resizing"): ("Normal", "Resized"),
    ("Running", "False", "WorkerFailed"): ("Warning", "WorkerFailed"),
    ("Running", "False", "RendezvousLost"): ("Warning", "GangRestarting"),
    ("Running", "False", "Disrupted"): ("Warning", "GangRestarting"),
    ("Running", "False", "WorkerLost"): ("Warning", "GangRestarting"),
    ("Running", "False", "HangDetected"): ("Warning", "HangDetected"),
    ("Running", "False", "ImagePull"): ("Warning", "ImagePullStuck"),
    ("Running", "False", "QuotaExceeded"): ("Warning", "QuotaExceeded"),
    ("Running", "False", "PodsRefused"): ("Warning", "ChildCreateFailed"),
    ("Progressing", "True", "StepAdvancing"): ("Normal", "TrainingStarted"),
    ("Ready", "False", "ChildCreateFailed"): ("Warning", "ChildCreateFailed"),
    ("Ready", "False", "NameConflict"): ("Warning", "ChildCreateFailed"),
    ("Suspended", "True", ""): ("Normal", "Suspended"),
    ("Suspended", "False", "Resumed"): ("Normal", "Resumed"),
    ("Complete", "True", ""): ("Normal", "Completed"),
    ("Failed", "True", ""): ("Warning", "Failed"),
}
"""Condition, status and reason (empty: any) to the event's type and reason."""


def events(
    old: Mapping[str, Mapping[str, Any]], new: tuple[Mapping[str, Any], ...]
) -> tuple[Event, ...]:
    """The events of every condition whose status or reason changed."""
    found = []
    if not old:
        found.append(Event(type="Normal", reason="JobAccepted", message="the job is known"))
    for condition in new:
        before = old.get(condition["type"], {})
        now = (condition["status"], condition["reason"])
        if (before.get("status"), before.get("reason")) == now:
            continue
        kind = TABLE.get((condition["type"], *now)) or TABLE.get((condition["type"], now[0], ""))
        if kind:
            message = condition.get("message", "")[:LONGEST]
            found.append(Event(type=kind[0], reason=kind[1], message=message))
    return tuple(found)
