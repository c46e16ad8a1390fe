"""C9: shards built once and streamed, tokens per second and core against tokenising on the fly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import util
from pathlib import Path
from typing import Any

from benchmarks import feeding, outcome, verdict
from benchmarks.c5_finetune import Course
from benchmarks.settings import Settings

ROWS = "datasets"  # rows of a table of that library, tokenised before, where it is installed
TABLE = "benchmarks.peers.tuned:stream_datasets"
CALLS = {
    "ours": "benchmarks.ours:stream",
    "default": "benchmarks.peers.default:stream",
    "tuned": "benchmarks.peers.tuned:stream",
}


def run(row: str, course: Course, settings: Settings) -> Mapping[str, Any]:
    """The result of the row; one thread and the CPU clock, for this is what one core can feed."""
    options = {**course.options("race", threads=1, seed=settings.seeds[0]), "split": "train"}
    calls = CALLS if util.find_spec(ROWS) is None else {**CALLS, ROWS: TABLE}
    answers, only = feeding.run(
        calls, options, folder=Path(course.workload.folder), rounds=settings.rounds
    )
    only = replace(only, also=tuple(calls.keys() - CALLS.keys()))
    title = f"streaming an epoch of {course.workload.name}"
    return outcome.row(row, title, races=(only,), evidence=_evidence(answers), settings=settings)


def _evidence(answers: Mapping[str, Mapping[str, Any]]) -> outcome.Evidence:
    details = {
        "work": answers["ours"]["work"],
        "buildSeconds": answers["ours"]["buildSeconds"],
        "residentBytes": {name: answer["residentBytes"] for name, answer in answers.items()},
    }
    faults = verdict.work_faults({name: answer["work"] for name, answer in answers.items()})
    return outcome.Evidence(faults=tuple(faults), details=details)
