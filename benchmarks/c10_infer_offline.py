"""C10: vectors of many texts without a server, against sentence-transformers and the pipeline.

All give what the classifier's head reads; the lap is a pass over the texts, tokenising included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import outcome, race
from benchmarks.laps import Clock
from benchmarks.serving import figures, texts
from benchmarks.serving.model import Made
from benchmarks.settings import Settings

TEXTS, QUICK = 192, 32
OURS = "benchmarks.offline:embed"
LIBRARY = "benchmarks.peers.offline:sentence_transformers"
PIPELINE = "benchmarks.peers.offline:pipeline"
GEMM = "benchmarks.ceiling:gemm"
GEMMS = 4


def run(row: str, made: Made, settings: Settings) -> Mapping[str, Any]:
    """The result of the row."""
    asked = texts.sentences(made.workload, QUICK if settings.quick else TEXTS)
    racers = variants(made)
    with race.Stable(Path(made.workload.folder)) as stable:
        told = {
            name: stable.runner(name, threads=1).through(
                call, {**options, "texts": asked[:64], "mode": "answers", "threads": 1}
            )["vectors"]
            for name, (call, options) in racers.items()
        }
        racers["ceiling"] = (GEMM, {"dtype": made.dtype})
        races = tuple(_raced(made, stable, racers, asked, (c, settings)) for c in settings.clocks)
    cosines = figures.cosines(told, to="default")
    evidence = outcome.Evidence(
        faults=tuple(figures.unlike_faults(cosines, excused=["ours-onnx-int8"])),
        details={
            "cosine": {name: round(value, 5) for name, value in cosines.items()},
            "exported": made.facts,
            "texts": len(asked),
        },
    )
    title = f"vectors of {made.workload.name} without a server"
    return outcome.row(row, title, races=races, evidence=evidence, settings=settings)


def variants(made: Made) -> dict[str, tuple[str, dict[str, Any]]]:
    """Who runs what. `ours` chooses its number format itself."""
    ours = {"artefact": str(made.artefact), "precision": "auto"}
    theirs = {"artefact": str(made.artefact), "maxLength": made.workload.recipe.max_length}
    fast = {**theirs, "dtype": made.dtype}
    return {
        "ours": (OURS, ours),
        "ours-fp32": (OURS, {**ours, "precision": "fp32"}),
        f"ours-onnx-{made.precision}": (OURS, {**ours, "artefact": str(made.graph)}),
        "default": (LIBRARY, {**theirs, "dtype": "float32", "batch": 32}),
        "pipeline": (PIPELINE, theirs),
        "tuned": (LIBRARY, {**fast, "batch": 32}),
        "tuned-small-batches": (LIBRARY, {**fast, "batch": 8}),
    }


def _raced(
    made: Made,
    stable: race.Stable,
    racers: Mapping[str, tuple[str, dict[str, Any]]],
    asked: Sequence[str],
    how: tuple[Clock, Settings],
) -> outcome.Race:
    clock, settings = how
    threads = settings.threads(clock)
    runners = [stable.runner(name, threads=threads) for name in racers]
    for runner in runners:
        call, options = racers[runner.name]
        runner.start(call, {**options, "texts": asked, "mode": "race", "threads": threads})
    laps = {name: GEMMS if name == "ceiling" else 1 for name in racers}
    rounds = race.run(runners, laps, rounds=settings.rounds)
    for runner in runners:
        runner.stop()
    return outcome.Race(
        clock=clock,
        threads=threads,
        rounds=rounds,
        unit="texts",
        ceiling_unit="flops",
        useful=texts.flops(made.workload, asked),
    )
