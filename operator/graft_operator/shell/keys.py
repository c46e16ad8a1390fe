"""A queue of keys: each once, never twice at work, new jobs first, failures after a pause."""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque

Key = tuple[str, str, str]

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
SHARE = 8  # every eighth turn belongs to the second lane, lest a burst of new jobs starve it


class KeyQueue:
    """Two lanes of keys with deduplication; `get` blocks until there is one."""

    def __init__(self) -> None:
        self._lanes: tuple[deque[Key], deque[Key]] = (deque(), deque())
        self._added: dict[Key, float] = {}  # since when each waiting key waits
        self._working: set[Key] = set()
        self._again: dict[Key, bool] = {}
        self._failures: dict[Key, int] = {}
        self._turn = 0
        self._closed = False
        self._ready = threading.Condition()

    def add(self, key: Key, *, first: bool = False) -> None:
        """The key is looked at again, after the look that may be under way."""
        with self._ready:
            if key in self._working:
                self._again[key] = first or self._again.get(key, False)
            elif key not in self._added:
                self._added[key] = time.monotonic()
                self._lanes[0 if first else 1].append(key)
                self._ready.notify()

    def get(self) -> tuple[Key, float]:
        """The next key, now at work, and for how many seconds it waited."""
        with self._ready:
            while self._closed or not (lane := self._lane()):
                self._ready.wait()
            key = lane.popleft()
            self._working.add(key)
            return key, time.monotonic() - self._added.pop(key)

    def done(self, key: Key, *, failed: bool = False) -> float:
        """Ends the work on the key; the pause in seconds before a failed one should come again."""
        with self._ready:
            self._working.discard(key)
            if self._closed:
                self._ready.notify_all()
            again = self._again.pop(key, None)
            self._failures[key] = self._failures.get(key, 0) + 1 if failed else 0
            count = self._failures[key]
            if not count:
                del self._failures[key]
        if again is not None and not failed:
            self.add(key, first=again)
        return min(FIRST_PAUSE * 2 ** (count - 1), LONGEST_PAUSE) if count else 0.0

    def close(self, *, seconds: float) -> bool:
        """Gives no key out any more; whether the work on all others ended within the time."""
        with self._ready:
            self._closed = True
            return self._ready.wait_for(lambda: not self._working, seconds)

    def new(self) -> bool:
        """Whether keys wait in the first lane."""
        with self._ready:
            return bool(self._lanes[0])

    def depth(self) -> dict[str, tuple[int, float]]:
        """Waiting keys and the age of the oldest, by kind."""
        now = time.monotonic()
        with self._ready:
            found: dict[str, tuple[int, float]] = {}
            for key, added in self._added.items():
                count, oldest = found.get(key[0], (0, 0.0))
                found[key[0]] = (count + 1, max(oldest, now - added))
            return found

    def _lane(self) -> deque[Key] | None:
        self._turn += 1
        new, old = self._lanes
        order = (old, new) if self._turn % SHARE == 0 else (new, old)
        return next((lane for lane in order if lane), None)


class Alarm:
    """Keys with a time; each comes into the queue when its time is there."""

    def __init__(self, queue: KeyQueue) -> None:
        self._queue = queue
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._changed = threading.Condition()

    def set(self, key: Key, seconds: float) -> None:
        """The key comes in so many seconds; an earlier wish for it is forgotten."""
        moment = time.monotonic() + max(seconds, 0.0)
        with self._changed:
            self._due[key] = moment
            heapq.heappush(self._heap, (moment, key))
            self._changed.notify()

    def clear(self, key: Key) -> None:
        """The key does not come."""
        with self._changed:
            self._due.pop(key, None)

    def pending(self) -> dict[str, int]:
        """Keys with a time, by kind."""
        with self._changed:
            found: dict[str, int] = {}
            for key in self._due:
                found[key[0]] = found.get(key[0], 0) + 1
            return found

    def ring(self) -> None:
        """Moves keys into the queue for ever, as their times come."""
        while True:
            for key in self._rung():
                self._queue.add(key)

    def _rung(self) -> list[Key]:
        with self._changed:
            wait = self._heap[0][0] - time.monotonic() if self._heap else None
            if wait is None or wait > 0:
                self._changed.wait(wait)
            found = []
            while self._heap and self._heap[0][0] <= time.monotonic():
                moment, key = heapq.heappop(self._heap)
                if self._due.get(key) == moment:
                    del self._due[key]
                    found.append(key)
            return found
