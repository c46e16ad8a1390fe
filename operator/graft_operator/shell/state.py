"""What the threads of the shell share."""

from __future__ import annotations

from dataclasses import dataclass, field

from graft_operator.shell.cache import Cache
from graft_operator.shell.keys import Alarm, KeyQueue


@dataclass(slots=True)
class State:
    """Cache, queue and alarm; `listed` once the first lists are in."""

    cache: Cache = field(default_factory=Cache)
    queue: KeyQueue = field(default_factory=KeyQueue)
    alarm: Alarm = field(init=False)
    listed: bool = False
    leading: bool = False

    def __post_init__(self) -> None:
        self.alarm = Alarm(self.queue)
