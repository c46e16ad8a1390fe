"""How often a status that only progressed is worth a write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 4  # times the usual pause: then even the same percentage is written


def due(old: Mapping[str, Any], new: Mapping[str, Any], *, waited: float, pause: float) -> bool:
    """Whether progress is written now, `waited` seconds after the last write.

    After the pause when it moved by a percent or a message changed, else after four pauses.
    """
    moved = _told(old) != _told(new)
    return waited >= pause and (moved or waited >= LONGEST * pause)


def _told(status: Mapping[str, Any]) -> tuple[object, ...]:
    """What people see change: the percentage, and messages; not the number of the step."""
    said = {c["type"]: c.get("message") for c in status.get("conditions") or ()}
    said.pop("Progressing", None)
    return (status.get("progress") or {}).get("progressPercentage"), said
