"""Where the time of a run went that was killed now and then: the same parts for everybody."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
        parts["checkpoints, broken steps, end"] = self.wall - sum(parts.values())
        return {name: seconds / self.wall for name, seconds in parts.items()}

    @classmethod
    def of_reports(cls, run: Run, reports: Sequence[Mapping[str, Any]]) -> Self:
        """Of ours, as its reports tell."""
        first, last = reports[0], reports[-1]
        gaps = [
            (_moment(before["time"]), _moment(after["began"]))
            for before, after in pairwise(reports)
            if before["began"] != after["began"]
        ]
        return cls(
            steps=last["step"],
            step=usual_step(reports),
            wall=run.wall,
            start=_moment(first["began"]) - run.began,
            kept=last["productiveSeconds"],
            redone=last["lostSeconds"],
            restarts=sum(_restarts(run.kills, gaps)),
            kills=len(run.kills),
        )

    @classmethod
    def of_notes(cls, run: Run, notes: Sequence[Mapping[str, Any]]) -> Self:
        """Of a peer, which notes every step: `pid`, `step`, `began`, `ended`."""
        seconds = [note["ended"] - note["began"] for note in notes]
        kept = {note["step"]: took for note, took in zip(notes, seconds, strict=True)}
        gaps = [
            (before["ended"], after["began"])
            for before, after in pairwise(notes)
            if before["pid"] != after["pid"]
        ]
        return cls(
            steps=max(kept),
            step=statistics.median(seconds),
            wall=run.wall,
            start=notes[0]["began"] - run.began,
            kept=sum(kept.values()),
            redone=sum(seconds) - sum(kept.values()),
            restarts=sum(_restarts(run.kills, gaps)),
            kills=len(run.kills),
        )


def usual_step(reports: Sequence[Mapping[str, Any]]) -> float:
    """The median step, between reports of one process: they come several times a second."""
    taken: list[float] = []
    for one, next_one in pairwise(reports):
        steps = next_one["step"] - one["step"]
        if steps > 0 and one["began"] == next_one["began"]:
            mean = (next_one["productiveSeconds"] - one["productiveSeconds"]) / steps
            taken += [mean] * steps
    return statistics.median(taken)


def reports_of(text: str) -> list[Mapping[str, Any]]:
    """The lines of `metrics.jsonl`."""
    return [json.loads(line) for line in text.splitlines()]


def _restarts(kills: Sequence[float], gaps: Iterable[tuple[float, float]]) -> Iterator[float]:
    """From the first kill in a gap, which begins with a process's last step, to its end.

    It ends when the next process begins its first step.
    """
    for last, began in gaps:
        killed = [moment for moment in kills if last <= moment <= began]
        yield began - min(killed, default=last)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
