"""What the threads of the shell share."""

from __future__ import annotations

from dataclasses import dataclass, field

from graft_operator.shell.cache import Cache
from graft_operator.shell.keys import Alarm, KeyQueue


@dataclass(slots=True)
class State:
    """Cache, queue and alarm; `listed` once the first lists are in.

    This replica leads until `lead_until` by its monotonic clock; from then on it writes nothing.
    """

    cache: Cache = field(default_factory=Cache)
    queue: KeyQueue = field(default_factory=KeyQueue)
    alarm: Alarm = field(init=False)
    listed: bool = False
    lead_until: float = 0.0

    def __post_init__(self) -> None:
        self.alarm = Alarm(self.queue)

    def leads(self, now: float) -> bool:
        """Whether this replica may write."""
        return now < self.lead_until
