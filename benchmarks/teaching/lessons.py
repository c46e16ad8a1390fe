"""The lessons: what is read, what is then learnt from few labels, what reading has to be worth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
READ, JUDGE = "1-pretrain.yaml", "2-transfer.yaml"
ENVIRON = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


class LessonError(Exception):
    """A run that did not come to its end; the message ends with what it last said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Two job files that follow each other, and the least that the first is worth."""

    title: str
    jobs: Path  # folder of the two files; their data are in its folder `data`
    texts: tuple[str, ...]  # files below the data: what is read,
    labelled: str  # labelled rows to learn from,
    dev: str  # labelled rows to measure on
    rows: int  # of the labelled ones that are learnt from
    nats: float  # that mlm_loss is below guessing by frequency
    points: float  # of accuracy that fine-tuning gains over random weights
    settings: tuple[str, ...] = ()  # over the first job file's
    recipes: Mapping[str, tuple[str, ...]] = field(  # over the second's; each start has its best
        default_factory=lambda: {"the file's": ()}
    )


def _recipe(epochs: int, rate: str) -> tuple[str, ...]:
    return (
        f"training.duration.epochs={epochs}",
        f"training.evaluate.every.epochs={epochs}",
        f"training.optimizer.learningRate={rate}",
    )


GRAMMAR = Lesson(
    title="a made-up grammar",
    jobs=HERE,
    texts=("train.txt",),
    labelled="labelled.jsonl",
    dev="dev.jsonl",
    rows=32,
    nats=1.0,
    points=5.0,
)
CHINESE = Lesson(
    title="Chinese Wikipedia and reviews",
    jobs=EXAMPLES / "07-chain-zh",
    texts=("pretrain_zh_wiki/train.txt", "pretrain_zh_reviews/train.txt"),
    labelled="eprstmt_zh/train.jsonl",
    dev="eprstmt_zh/dev.jsonl",
    rows=200,
    nats=0.5,
    points=3.0,
    settings=("training.duration.steps=8000",),  # the file takes 2500, for a short visit
    recipes={"20 epochs, 3e-4": _recipe(20, "3.0e-4"), "10 epochs, 1e-3": _recipe(10, "1.0e-3")},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where the jobs of a lesson are run: its files, and a folder with rows and a store."""

    jobs: Path
    folder: Path

    @classmethod
    def of(cls, lesson: Lesson, folder: Path, *, data: Path) -> Self:
        """The desk of a lesson, made ready in the folder; the job files stay where they are."""
        folder.mkdir(parents=True, exist_ok=True)
        if not (lesson.jobs / "data").exists():
            (lesson.jobs / "data").symlink_to(data.absolute())
        made = cls(jobs=lesson.jobs, folder=folder)
        made.few.write_text(
            "".join(_lines(made.data / lesson.labelled)[: lesson.rows]), encoding="utf-8"
        )
        read = {line.strip() for file in lesson.texts for line in _lines(made.data / file)}
        unread = [
            row for row in _lines(made.data / lesson.dev) if json.loads(row)["text"] not in read
        ]
        made.dev.write_text("".join(unread), encoding="utf-8")
        return made

    @property
    def data(self) -> Path:
        """Where the job files look for their data."""
        return self.jobs / "data"

    @property
    def store(self) -> Path:
        """Where jobs leave what they make."""
        return self.folder / "store"

    @property
    def few(self) -> Path:
        """The labelled rows that are learnt from."""
        return self.folder / "few.jsonl"

    @property
    def dev(self) -> Path:
        """The labelled rows that are measured on; no text of theirs was read, even unlabelled."""
        return self.folder / "dev.jsonl"

    def run(self, name: str, settings: Sequence[str]) -> Mapping[str, Any]:
        """The status that `graft run` prints of a job file with `--set` values over it.

        Raises:
            LessonError: the job did not complete.
        """
        wishes = [part for setting in settings for part in ("--set", setting)]
        command = ["-m", "graft_cli", "run", str(self.jobs / name), "--store", str(self.store)]
        done = subprocess.run(
            [sys.executable, *command, "-o", "json", "--quiet", *wishes],
            env={**os.environ, **ENVIRON},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LessonError(f"{name}: exit code {done.returncode}\n{done.stderr[-2000:]}")
        status: Mapping[str, Any] = json.loads(done.stdout)
        return status


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def metric(status: Mapping[str, Any], name: str) -> float:
    """A metric of a status."""
    (value,) = (told["value"] for told in status["metrics"] if told["name"] == name)
    return float(value)
