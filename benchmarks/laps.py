"""A lap: the unit that a race measures, one optimizer step or one epoch of a data path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Clock = Literal["cpu", "wall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """What was done in how many seconds: by the process's CPU clock and by the wall clock."""

    units: Mapping[str, float]  # texts, tokens (real ones), slots (padding included) or flops
    cpu: float
    wall: float
    graphs: int = 0  # graphs that torch.compile made meanwhile

    def seconds(self, clock: Clock) -> float:
        """The time of that clock."""
        return self.cpu if clock == "cpu" else self.wall

    def cost(self, unit: str, clock: Clock) -> float:
        """Seconds per unit."""
        return self.seconds(clock) / self.units[unit]


def total(laps: Iterable[Lap]) -> Lap:
    """The laps of one round as one lap."""
    laps = tuple(laps)
    names = laps[0].units
    return Lap(
        units={name: sum(lap.units[name] for lap in laps) for name in names},
        cpu=sum(lap.cpu for lap in laps),
        wall=sum(lap.wall for lap in laps),
        graphs=sum(lap.graphs for lap in laps),
    )
