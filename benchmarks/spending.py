"""Where the time of a run went that was killed now and then: the same parts for everybody."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Self

from benchmarks.killing import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Seconds of a run by part, and how long its usual step takes."""

    steps: int
    step: float  # the median
    wall: float  # from the start to the end
    start: float  # to the first step
    kept: float  # in steps
    redone: float  # in steps
    restarts: float
    kills: int

    @property
    def goodput(self) -> float:
        """Share of the wall time that the steps would have taken without faults."""
        return self.steps * self.step / self.wall

    def shares(self) -> dict[str, float]:
        """Parts of the wall time; they add up to 1."""
        parts = {
            "steps kept": self.kept,
            "steps done again": self.redone,
            "restarts": self.restarts,
            "start": self.start,
        }
        parts["checkpoints, end and the rest"] = self.wall - sum(parts.values())
        return {name: seconds / self.wall for name, seconds in parts.items()}

    @classmethod
    def of_reports(cls, run: Run, reports: Sequence[Mapping[str, Any]], *, step: float) -> Self:
        """Of ours, as its last report tells; `step` is that of a run without faults."""
        first, last = reports[0], reports[-1]
        return cls(
            steps=last["step"],
            step=step,
            wall=run.wall,
            start=_moment(first) - first["productiveSeconds"] - run.began,
            kept=last["productiveSeconds"],
            redone=last["lostSeconds"],
            restarts=last["restartingSeconds"],
            kills=len(run.kills),
        )

    @classmethod
    def of_notes(cls, run: Run, notes: Sequence[Mapping[str, Any]]) -> Self:
        """Of a peer, which notes every step: `pid`, `step`, `began`, `ended`."""
        seconds = [note["ended"] - note["began"] for note in notes]
        kept = {note["step"]: took for note, took in zip(notes, seconds, strict=True)}
        return cls(
            steps=max(kept),
            step=statistics.median(seconds),
            wall=run.wall,
            start=notes[0]["began"] - run.began,
            kept=sum(kept.values()),
            redone=sum(seconds) - sum(kept.values()),
            restarts=sum(_restarts(run, notes)),
            kills=len(run.kills),
        )


def usual_step(reports: Sequence[Mapping[str, Any]]) -> float:
    """The median step of a run without faults: reports come several times a second."""
    taken: list[float] = []
    for one, next_one in pairwise(reports):
        steps = next_one["step"] - one["step"]
        if steps:
            mean = (next_one["productiveSeconds"] - one["productiveSeconds"]) / steps
            taken += [mean] * steps
    return statistics.median(taken)


def reports_of(text: str) -> list[Mapping[str, Any]]:
    """The lines of `metrics.jsonl`."""
    return [json.loads(line) for line in text.splitlines()]


def _restarts(run: Run, notes: Sequence[Mapping[str, Any]]) -> Iterator[float]:
    """From the first kill after a process's last step to the first step of the next."""
    for before, after in pairwise(notes):
        if before["pid"] != after["pid"]:
            killed = [k for k in run.kills if before["ended"] <= k <= after["began"]]
            yield after["began"] - min(killed, default=before["ended"])


def _moment(report: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(report["time"]).timestamp()
