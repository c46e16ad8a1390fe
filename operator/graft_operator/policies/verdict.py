"""What one look at a job decides; the status and the writes are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from graft_operator.outcome import Delete, Patch

Truth = Literal["True", "False", "Unknown"]
Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Status, reason and message of one condition; the message says what to do next."""

    status: Truth
    reason: str
    message: str


def true(reason: str, message: str) -> Finding:
    """The aspect holds."""
    return Finding(status="True", reason=reason, message=message)


def false(reason: str, message: str) -> Finding:
    """The aspect does not hold."""
    return Finding(status="False", reason=reason, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Findings by condition, writes, and the blocks of status that change.

    A condition that is not named keeps what it said before.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict)
    create: bool = False  # the objects of the attempt that is due
    patch: tuple[Patch, ...] = ()
    delete: tuple[Delete, ...] = ()
    checkpoint: tuple[str, ...] = ()
    attempt: int | None = None  # the attempt that is due from now on
    blocks: Object = field(default_factory=dict)  # top-level keys of status, as they shall stand
    spent: Mapping[str, float] = field(default_factory=dict)  # by the last words of a training
    wake: datetime | None = None
