"""Ratios, shares and the rules that make a row void: pure functions of what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.laps import Clock, Lap

LOSS_TOLERANCE = 0.01

Rounds = Mapping[str, tuple[Lap, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times faster ours is: of the best rounds, and of the median rounds."""

    min: float
    median: float


def ratio(peer: Sequence[Lap], ours: Sequence[Lap], *, unit: str, clock: Clock) -> Ratio:
    """The peer's cost per unit over ours; above 1 ours is faster."""
    costs = [[lap.cost(unit, clock) for lap in rounds] for rounds in (peer, ours)]
    return Ratio(
        min=min(costs[0]) / min(costs[1]),
        median=statistics.median(costs[0]) / statistics.median(costs[1]),
    )


def fastest(names: Sequence[str], rounds: Rounds, *, unit: str, clock: Clock) -> str:
    """The variant with the lowest median cost: the best that the tuned peer can do here."""
    return min(
        names, key=lambda name: statistics.median(lap.cost(unit, clock) for lap in rounds[name])
    )


def rate(rounds: Sequence[Lap], *, unit: str, clock: Clock) -> Ratio:
    """Units per second in the best and in the median round."""
    costs = [lap.cost(unit, clock) for lap in rounds]
    return Ratio(min=1 / min(costs), median=1 / statistics.median(costs))


def loss_faults(losses: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """A sentence for every peer whose loss after the same steps is not that of ours."""
    ours = losses["ours"]
    for name, theirs in ((name, values) for name, values in losses.items() if name != "ours"):
        if len(theirs) != len(ours):
            yield f"{name} gave {len(theirs)} losses, ours {len(ours)}"
        elif not _near(theirs[-1], ours[-1]):
            yield (
                f"after {len(ours)} equal steps the loss of {name} is {theirs[-1]:.4f},"
                f" ours {ours[-1]:.4f}: more than {LOSS_TOLERANCE:.0%} apart"
            )


def _near(theirs: float, ours: float) -> bool:
    return abs(theirs - ours) <= LOSS_TOLERANCE * abs(theirs)


def accuracy_faults(
    accuracies: Mapping[str, Sequence[float]], *, tolerance: float
) -> Iterator[str]:
    """A sentence for every peer whose mean accuracy ours misses by more than the tolerance."""
    ours = statistics.mean(accuracies["ours"])
    for name, values in accuracies.items():
        if (theirs := statistics.mean(values)) - ours > tolerance:
            yield (
                f"over {len(values)} seeds {name} reaches {theirs:.4f}, ours {ours:.4f}:"
                f" more than {tolerance} behind"
            )


def work_faults(work: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """A sentence for every variant that did not do what ours did."""
    for name, done in work.items():
        if dict(done) != dict(work["ours"]):
            yield f"{name} did {dict(done)}, ours {dict(work['ours'])}"


def recompilation_faults(rounds: Rounds) -> Iterator[str]:
    """A sentence for every variant that compiled inside the measured rounds."""
    for name, laps in rounds.items():
        if graphs := sum(lap.graphs for lap in laps):
            yield f"{name} compiled {graphs} graphs while it was measured"
