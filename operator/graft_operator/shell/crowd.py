"""How many jobs want to be looked at again and again; the more, the rarer each is."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Literal

from graft_operator.shell.keys import Key

Want = Literal["pods", "progress", "nothing"]

PER_SECOND = {"pods": 25.0, "progress": 100.0}
"""Looks of all jobs together. A list of pods by label costs the server a walk over all pods."""


class Crowd:
    """Jobs by what they want to be looked at for; usable from many threads."""

    def __init__(self) -> None:
        self._wants: dict[Key, str] = {}
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def pause(self, key: Key, want: Want) -> float:
        """The least seconds until the job's next look, now that it wants this."""
        with self._lock:
            old = self._wants.pop(key, None)
            if old is not None:
                self._counts[old] -= 1
            if want == "nothing":
                return 0.0
            self._wants[key] = want
            self._counts[want] += 1
            return self._counts[want] / PER_SECOND[want]
