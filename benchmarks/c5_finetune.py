"""C5: fine-tuning a classifier, texts per second against the Hugging Face Trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import outcome, race, verdict
from benchmarks.ceiling import training_flops
from benchmarks.contest import Contest
from benchmarks.laps import Clock
from benchmarks.settings import Settings
from benchmarks.workloads import PARTS, Workload

EQUAL_STEPS = 10
CALLS = {
    "ours": "benchmarks.ours:finetune",
    "default": "benchmarks.peers.default:finetune",
    "tuned": "benchmarks.peers.tuned:finetune",
    "tuned-small-batches": "benchmarks.peers.tuned:finetune_small_batches",
    "tuned-compiled": "benchmarks.peers.tuned:finetune_compiled",
    "ceiling": "benchmarks.ceiling:gemm",
}
_Numbers = Mapping[str, Sequence[float]]
RACERS = ("ours", "default", "tuned")  # whose accuracy is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A workload made ready: its files are written, its sizes and the precision are known."""

    workload: Workload
    tokens: float  # mean per text
    attended: float  # mean over the tokens of the length of their text
    dtype: str

    def options(self, mode: str, *, threads: int, seed: int) -> dict[str, Any]:
        """What a child is told."""
        workload = self.workload.options()
        return {
            "workload": workload,
            "mode": mode,
            "split": "race" if mode == "race" else "train",
            "threads": threads,
            "seed": seed,
            "dtype": self.dtype,
        }


def run(row: str, course: Course, settings: Settings) -> Mapping[str, Any]:
    """The result of the row: first equal work is shown, then it is timed."""
    with race.Stable(Path(course.workload.folder)) as stable:
        meeting = _Meeting(course=course, settings=settings, stable=stable)
        evidence = meeting.evidence()
        races = tuple(meeting.timed(clock) for clock in settings.clocks)
    title = f"fine-tuning on {course.workload.name}"
    return outcome.row(row, title, races=races, evidence=evidence, settings=settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meeting:
    """All races of a row and what shows that they are fair."""

    course: Course
    settings: Settings
    stable: race.Stable

    def timed(self, clock: Clock) -> outcome.Race:
        """The race by a clock, with the tuned variant that is the fastest here."""
        course, settings = self.course, self.settings
        contest = Contest(
            calls=CALLS,
            variants=self._variants(),
            laps=_laps(course.workload),
            unit="texts",
            useful=training_flops(
                course.workload.shape, tokens=course.tokens, attended=course.attended
            ),
        )
        threads = settings.threads(clock)
        options = course.options("race", threads=threads, seed=settings.seeds[0])
        return contest.timed(self.stable, clock, options, rounds=settings.rounds)

    def evidence(self) -> outcome.Evidence:
        """Losses of equal steps and accuracies of all seeds."""
        losses = {name: self._losses(name) for name in self._variants()}
        accuracies = {name: self._accuracies(name) for name in RACERS}
        recipe = self.course.workload.recipe
        faults = (
            *verdict.loss_faults(losses),
            *verdict.accuracy_faults(accuracies, tolerance=recipe.tolerance),
        )
        return outcome.Evidence(faults=faults, details=self._details(losses, accuracies))

    def _details(self, losses: _Numbers, accuracies: _Numbers) -> Mapping[str, Any]:
        return {
            "equalSteps": {"steps": EQUAL_STEPS, "losses": losses},
            "accuracy": {
                "epochs": self.course.workload.recipe.accuracy_epochs,
                "means": outcome.means(accuracies),
                "values": accuracies,
            },
            "tokensPerText": self.course.tokens,
            "precision": self.course.dtype,
            "texts": self.course.workload.rows,
        }

    def _variants(self) -> tuple[str, ...]:
        return RACERS if self.settings.quick else tuple(n for n in CALLS if n != "ceiling")

    def _through(self, name: str, call: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.stable.runner(name, threads=self.settings.cores).through(call, options)

    def _losses(self, name: str) -> Sequence[float]:
        """Losses of the same texts in the same order, which is ours', without dropout."""
        options = self.course.options("equality", threads=self.settings.cores, seed=1)
        options["steps"] = EQUAL_STEPS
        options["order"] = self._through("ours", "benchmarks.ours:order", options)["order"]
        losses: Sequence[float] = self._through(name, CALLS[name], options)["losses"]
        return losses

    def _accuracies(self, name: str) -> Sequence[float]:
        threads = self.settings.cores
        return [
            self._through(
                name, CALLS[name], self.course.options("accuracy", threads=threads, seed=seed)
            )["accuracy"]
            for seed in self.settings.seeds
        ]


def _laps(workload: Workload) -> Mapping[str, int]:
    """Steps per round: enough to see every length; one where every step costs the same."""
    steps = workload.racing // PARTS // workload.recipe.global_batch
    few = {"default": 1, "ceiling": 4}
    return {name: few.get(name, steps) for name in CALLS}
