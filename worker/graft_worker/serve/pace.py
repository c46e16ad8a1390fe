"""How long a token takes at the moment, from the batches of late."""

from __future__ import annotations

import statistics
from collections import deque

REMEMBERED = 9  # batches; their median is moved by no single slow one


class Pace:
    """Seconds per token; none until a batch was computed."""

    def __init__(self) -> None:
        self._late: deque[float] = deque(maxlen=REMEMBERED)
        self._median = 0.0

    def note(self, tokens: int, seconds: float) -> None:
        """A batch of so many real tokens took so long."""
        self._late.append(seconds / max(tokens, 1))
        self._median = statistics.median(self._late)

    def seconds(self, tokens: int) -> float:
        """How long so many tokens will take."""
        return self._median * tokens
