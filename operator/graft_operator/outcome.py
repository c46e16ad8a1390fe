"""What a reconcile wants done, as values; the shell does it in this order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A merge patch of one child, of that very UID."""

    kind: str
    name: str
    uid: str
    body: Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """The removal of one object of that very UID; 0 seconds of grace: by force."""

    kind: str
    name: str
    uid: str
    grace_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of `kubectl describe`; sent after the status was written."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Writes of one reconcile; empty where everything is as it should be."""

    create: tuple[Object, ...] = ()
    patch: tuple[Patch, ...] = ()
    delete: tuple[Delete, ...] = ()
    checkpoint: tuple[str, ...] = ()  # addresses of workers, one of which is asked to save
    status: Object | None = None  # the whole status; None: it stays
    urgent: bool = True  # more than progress changed: the status is written at once
    events: tuple[Event, ...] = ()
    wake: datetime | None = None  # when to look again without an event

    @property
    def acts(self) -> bool:
        """Whether children are to be changed."""
        return bool(self.create or self.patch or self.delete or self.checkpoint)
