"""How long the steps of this process take, and where the time goes."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from graft_api.progress import STEP_BUCKETS

RECENT = 256  # steps that the usual one is told from
REFRESH = 32  # steps between two looks at them
SHARE = 0.95


class Timing:
    """Durations of the steps of this process since it started, in seconds."""

    def __init__(self) -> None:
        self.total = 0.0
        self.waited = 0.0  # for data
        self._counts = [0] * (len(STEP_BUCKETS) + 1)
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._long = 0.0
        self._steps = 0

    def done(self, seconds: float, *, waited: float) -> None:
        """One more step, of which `waited` seconds were spent waiting for data."""
        self.total += seconds
        self.waited += waited
        self._counts[bisect_left(STEP_BUCKETS, seconds)] += 1
        self._recent.append(seconds)
        self._steps += 1
        if self._steps % REFRESH == 0 or self._steps < REFRESH:
            self._long = sorted(self._recent)[int(SHARE * (len(self._recent) - 1))]

    @property
    def long(self) -> float:
        """What 95 of 100 recent steps stay below; 0 before the first."""
        return self._long

    @property
    def histogram(self) -> dict[str, int]:
        """Steps by the upper bound of their bucket; empty buckets are left out."""
        bounds = [*map(str, STEP_BUCKETS), "+Inf"]
        return {b: count for b, count in zip(bounds, self._counts, strict=True) if count}
