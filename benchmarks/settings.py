"""How a run of the benchmarks was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.laps import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the data are, how long to measure, by which clocks."""

    data: Path
    command: str
    rounds: int = 5
    seeds: tuple[int, ...] = (1, 2, 3)
    clocks: tuple[Clock, ...] = ("cpu", "wall")
    cores: int = 1
    quick: bool = False  # a tiny model in seconds: proves the harness, measures nothing

    def threads(self, clock: Clock) -> int:
        """One thread for the CPU clock, which no other job moves; every core for the wall clock."""
        return 1 if clock == "cpu" else self.cores
