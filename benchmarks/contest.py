"""A race of ours, the default and the best tuned variant, beside what the machine can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import outcome, race, verdict
from benchmarks.laps import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Who races. `calls` also names `ceiling`, the matrix product that shares are taken of."""

    calls: Mapping[str, str]
    variants: Sequence[str]  # ours, default, tuned...
    laps: Mapping[str, int]  # of a round
    unit: str
    useful: float  # FLOPs that one unit needs at least
    also: Sequence[str] = ()  # others in the race, each with a ratio of its own

    def timed(
        self, stable: race.Stable, clock: Clock, options: Mapping[str, Any], *, rounds: int
    ) -> outcome.Race:
        """The race by a clock, with the tuned variant that is the fastest here."""
        tuned = [name for name in self.variants if name.startswith("tuned")]
        heat = self._run(stable, tuned, options, rounds=1) if len(tuned) > 1 else {}
        best = verdict.fastest(tuned, heat, unit=self.unit, clock=clock) if heat else tuned[0]
        racers = ("ours", "default", best, *self.also, "ceiling")
        return outcome.Race(
            clock=clock,
            threads=options["threads"],
            rounds=self._run(stable, racers, options, rounds=rounds),
            heat=heat,
            also=self.also,
            unit=self.unit,
            ceiling_unit="flops",
            useful=self.useful,
        )

    def _run(
        self,
        stable: race.Stable,
        names: Sequence[str],
        options: Mapping[str, Any],
        *,
        rounds: int,
    ) -> verdict.Rounds:
        runners = [stable.runner(name, threads=options["threads"]) for name in names]
        for runner in runners:
            runner.start(self.calls[runner.name], options)
        done = race.run(runners, {name: self.laps[name] for name in names}, rounds=rounds)
        for runner in runners:
            runner.stop()
        return done
