"""How often a status that only progressed is worth a write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 4  # times the usual pause: then even the same percentage is written


def due(old: Mapping[str, Any], new: Mapping[str, Any], *, waited: float, pause: float) -> bool:
    """Whether progress is written now, `waited` seconds after the last write.

    After the pause when it moved by a percent, else after four pauses.
    """
    before = (old.get("progress") or {}).get("progressPercentage")
    after = (new.get("progress") or {}).get("progressPercentage")
    moved = before != after
    return waited >= pause and (moved or waited >= LONGEST * pause)
