"""A race of data paths: how many tokens one core brings to the model; a lap is an epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import outcome, race

CEILING = "benchmarks.ceiling:copy"
BYTES_PER_TOKEN = 8  # an id as the model takes it, int64
EPOCHS_OF_OURS = 4  # per round: one is over in milliseconds

Answers = Mapping[str, Mapping[str, Any]]  # of every variant, to what it holds


def run(
    calls: Mapping[str, str], options: Mapping[str, Any], *, folder: Path, rounds: int
) -> tuple[Answers, outcome.Race]:
    """What every variant says of its epoch, and the race; one thread and the CPU clock."""
    calls = {**calls, "ceiling": CEILING}
    laps = {name: EPOCHS_OF_OURS if name in ("ours", "ceiling") else 1 for name in calls}
    once = {**options, "mode": "equality"}
    with race.Stable(folder) as stable:
        runners = [stable.runner(name, threads=1) for name in calls]
        answers = {r.name: r.through(calls[r.name], once) for r in runners if r.name != "ceiling"}
        for runner in runners:
            runner.start(calls[runner.name], options)
        done = race.run(runners, laps, rounds=rounds)
        for runner in runners:
            runner.stop()
    return answers, outcome.Race(
        clock="cpu",
        threads=1,
        rounds=done,
        unit="tokens",
        ceiling_unit="bytes",
        useful=BYTES_PER_TOKEN,
    )
