"""When the other nodes of a gang last gave a sign of life, by this machine's clock alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

MISSED = 3  # signs in a row that a node may miss; torchelastic's own default


@dataclass(slots=True)
class Signs:
    """What the rendezvous showed of each of them, and since when it shows the same."""

    every: float  # seconds between two signs
    _seen: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    _looked: float = 0.0

    def note(self, shown: Mapping[str, datetime], now: float) -> None:
        """The stamps that stand there now. Who is struck off goes on being silent."""
        self._looked = now
        for node, stamp in shown.items():
            if node not in self._seen or self._seen[node][0] != stamp:
                self._seen[node] = (stamp, now)

    def clear(self) -> None:
        """A new round has other nodes."""
        self._seen.clear()

    @property
    def silent(self) -> float:
        """Seconds for which one has been silent that missed too many signs, else 0.

        Up to the last look: who was stopped himself must not take the time for silence.
        """
        longest = max((self._looked - since for _, since in self._seen.values()), default=0.0)
        return longest if longest > MISSED * self.every else 0.0


def hopeless(signs: Signs, *, idle: float, allowed: float) -> bool:
    """Whether workers that did no step for `idle` seconds wait for a silent node, and longer than a
    save that was being written is `allowed` to take. Alone they cannot save: that takes all.
    """
    return signs.silent > 0 and idle > allowed
