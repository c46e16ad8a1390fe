"""C15: from the kill -9 of a worker to the next step of its gang, against plain torchrun.

All run the same training program, on one thread each, from the same prepared data.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import gangs, outcome, verdict
from benchmarks.gangs import Gang, Prepared
from benchmarks.laps import Lap
from benchmarks.settings import Settings

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
PROGRAM = ("--max-restarts=3", "-m", "graft_worker", "train")
VARIANTS: Mapping[str, Sequence[str]] = {  # what Python runs
    "ours": ("-m", "graft_worker", "launch"),
    "default": (*TORCHRUN, *PROGRAM),
    "tuned": (*TORCHRUN, "--monitor-interval=0.01", *PROGRAM),
}
CEILING = ("-c", "")


def run(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of the row. By the wall clock alone: most of a restart is waiting for others."""
    prepared = Prepared.make(folder, epochs=2 if settings.quick else 6)
    told: dict[str, list[Gang]] = {name: [] for name in VARIANTS}
    bare: list[Lap] = []
    for number in range(settings.rounds):
        for name, command in VARIANTS.items():
            told[name].append(prepared.gang(f"{name}-{number}", command))
        bare.append(_interpreter())
    rounds = {name: tuple(_lap(gang) for gang in of_one) for name, of_one in told.items()}
    race = outcome.Race(
        clock="wall",
        threads=2,  # one in each worker
        rounds={**rounds, "ceiling": tuple(bare)},
        unit="restarts",
        ceiling_unit="interpreters",
        useful=1,
    )
    title = "restart of a gang of two"
    return outcome.row(row, title, races=(race,), evidence=_evidence(told), settings=settings)


def _lap(gang: Gang) -> Lap:
    return Lap(units={"restarts": 1}, cpu=0.0, wall=gang.resumed - gang.killed)


def _interpreter() -> Lap:
    return Lap(units={"interpreters": 1}, cpu=0.0, wall=gangs.seconds(CEILING))


def _evidence(told: Mapping[str, Sequence[Gang]]) -> outcome.Evidence:
    first = {name: of_one[0].losses for name, of_one in told.items()}
    return outcome.Evidence(
        faults=tuple(verdict.loss_faults(first)),
        details={
            "restartSeconds": _medians(told, "killed", "resumed"),
            "startSeconds": _medians(told, "began", "stepped"),
            "lastLosses": {name: losses[-1] for name, losses in first.items()},
        },
    )


def _medians(told: Mapping[str, Sequence[Gang]], since: str, until: str) -> dict[str, float]:
    return {
        name: round(statistics.median(getattr(g, until) - getattr(g, since) for g in of_one), 2)
        for name, of_one in told.items()
    }
