"""Waiting for what is true in the end: conditions with deadlines, never a bare sleep."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.2
# Seconds after which the thing in question is broken, not slow.
SOON = 30.0
NODE_READY = 60.0
POD_RUNS = 120.0
NODE_LOST = 60.0


def until(
    look: Callable[[], T | None], what: str, *, seconds: float = SOON, pause: float = PAUSE
) -> T:
    """What `look` sees as soon as it is neither empty nor false; raises TimeoutError."""
    deadline = time.monotonic() + seconds * _patience()
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds * _patience():g} s for {what}")
        time.sleep(pause)
    return seen


def _patience() -> float:
    """3 on a machine with more work than cores."""
    return 3.0 if os.getloadavg()[0] > (os.cpu_count() or 1) else 1.0
