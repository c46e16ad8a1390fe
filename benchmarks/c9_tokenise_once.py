"""C9: shards built once and streamed, tokens per second and core against tokenising on the fly."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Any

from benchmarks import outcome, race, verdict
from benchmarks.c5_finetune import Course
from benchmarks.settings import Settings

CALLS = {
    "ours": "benchmarks.ours:stream",
    "default": "benchmarks.peers.default:stream",
    "tuned": "benchmarks.peers.tuned:stream",
}
CEILING = "benchmarks.ceiling:copy"
BYTES_PER_TOKEN = 8  # an id as the model takes it, int64
EPOCHS_OF_OURS = 4  # per round: one is over in milliseconds


def run(row: str, course: Course, settings: Settings) -> Mapping[str, Any]:
    """The result of the row; one thread and the CPU clock, for this is what one core can feed."""
    options = {**course.options("race", threads=1, seed=settings.seeds[0]), "split": "train"}
    calls = {**_calls(), "ceiling": CEILING}
    with race.Stable(Path(course.workload.folder)) as stable:
        runners = [stable.runner(name, threads=1) for name in calls]
        once = {**options, "mode": "equality"}
        answers = {r.name: r.through(calls[r.name], once) for r in runners if r.name != "ceiling"}
        for runner in runners:
            runner.start(calls[runner.name], options)
        laps = {name: EPOCHS_OF_OURS if name in ("ours", "ceiling") else 1 for name in calls}
        rounds = race.run(runners, laps, rounds=settings.rounds)
        for runner in runners:
            runner.stop()
    only = outcome.Race(
        clock="cpu",
        threads=1,
        rounds=rounds,
        unit="tokens",
        ceiling_unit="bytes",
        useful=BYTES_PER_TOKEN,
    )
    title = f"streaming an epoch of {course.workload.name}"
    return outcome.row(row, title, races=(only,), evidence=_evidence(answers), settings=settings)


def _calls() -> Mapping[str, str]:
    if util.find_spec("datasets") is None:
        return CALLS
    return {**CALLS, "tuned-datasets": "benchmarks.peers.tuned:stream_datasets"}


def _evidence(answers: Mapping[str, Mapping[str, Any]]) -> outcome.Evidence:
    details = {
        "work": answers["ours"]["work"],
        "buildSeconds": answers["ours"]["buildSeconds"],
        "residentBytes": {name: answer["residentBytes"] for name, answer in answers.items()},
    }
    faults = verdict.work_faults({name: answer["work"] for name, answer in answers.items()})
    return outcome.Evidence(faults=tuple(faults), details=details)
