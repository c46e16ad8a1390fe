"""The jobs of a lesson: a teacher, a student that hears it, and one on labels alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.lessons.material import Material

ZOO = {"from": {"zoo": "minilm-l6-en"}}
SMALL: Mapping[str, Any] = {  # of the smoke test
    "from": {"config": {"architecture": "bert", "layers": 2, "hidden": 32, "heads": 2}},
    "tokenizer": {"train": {"kind": "wordpiece", "size": 120}},
}


NOTHING: Mapping[str, Any] = {}
EVERY = 48  # steps between two evaluations of the student on labels alone


class LessonError(Exception):
    """A job that did not come to its end; the message ends with what it last said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Sizes and rates. Both students take equally many steps of equally many rows.

    The one on labels alone has two advantages: a rate of its own, and its best state counts, which
    the rows chose that it is measured on; of the others the last state counts.
    """

    model: Mapping[str, Any] = field(default_factory=lambda: ZOO)
    labelled: int = 1000
    layers: int = 3  # of the student
    teacher_epochs: int = 5
    teacher_rate: float = 1e-4
    steps: int = 432
    rate: float = 2e-4
    alone_rate: float = 5e-5  # labels alone are learned by heart at the other
    global_batch: int = 32
    alpha: float = 0.9
    temperature: float = 2.0
    max_length: int = 64

    def as_json(self) -> Mapping[str, Any]:
        """What a reader needs to do it again."""
        return {
            "layers": self.layers,
            "teacherEpochs": self.teacher_epochs,
            "teacherRate": self.teacher_rate,
            "steps": self.steps,
            "rate": self.rate,
            "aloneRate": self.alone_rate,
            "globalBatch": self.global_batch,
            "alpha": self.alpha,
            "temperature": self.temperature,
            "maxLength": self.max_length,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a job said of itself in the end."""

    status: Mapping[str, Any]

    @property
    def accuracy(self) -> float:
        """Of the published weights on dev."""
        (value,) = (m["value"] for m in self.status["metrics"] if m["name"] == "accuracy")
        return float(value)

    @property
    def steps(self) -> int:
        """Optimizer steps that it took."""
        return int(self.status["progress"]["step"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The jobs of a seed, in a store of their own, each on one thread."""

    material: Material
    recipe: Recipe
    seed: int

    def taken(self) -> Mapping[str, Done]:
        """All of them, one after the other."""
        return {"teacher": self.teacher(), "student": self.student(), "alone": self.alone()}

    def teacher(self) -> Done:
        """The model of the zoo, fine-tuned on the labelled rows."""
        recipe = self.recipe
        training = {
            "duration": {"epochs": recipe.teacher_epochs},
            **_at(recipe.teacher_rate),
        }
        spec = {"model": dict(recipe.model), "data": self._data(), "training": training}
        return self._run("TransferJob", "teacher", spec)

    def student(self) -> Done:
        """Some of the teacher's layers, with its answers to all rows."""
        method = {"temperature": self.recipe.temperature, "alpha": self.recipe.alpha}
        bare = {"unlabelled": {"uri": self.material.file("bare")}}
        return self._learned("student", method=method, training=_at(self.recipe.rate), more=bare)

    def alone(self) -> Done:
        """The same layers on the labelled rows, without an answer."""
        best = {"evaluate": {"every": {"steps": EVERY}, "keepBest": True}}
        training = {**_at(self.recipe.alone_rate), **best}
        return self._learned("alone", method={"alpha": 0}, training=training)

    def _learned(
        self,
        name: str,
        *,
        method: Mapping[str, Any],
        training: Mapping[str, Any],
        more: Mapping[str, Any] = NOTHING,
    ) -> Done:
        reference = {"kind": "TransferJob", "name": "teacher"}
        spec = {
            "teacher": {"from": {"job": reference}},
            "student": {"from": {"teacher": {"layers": self.recipe.layers}}},
            "method": {"name": "vanilla", "vanilla": dict(method)},
            "data": {**self._data(), **more},
            "training": {"duration": {"steps": self.recipe.steps}, **training},
        }
        return self._run("DistillJob", name, spec)

    def _data(self) -> dict[str, Any]:
        splits = {"train": "labelled", "validation": "dev"}
        named = {name: {"uri": self.material.file(split)} for name, split in splits.items()}
        return {**named, "maxLength": self.recipe.max_length}

    def _run(self, kind: str, name: str, spec: Mapping[str, Any]) -> Done:
        job = {
            "apiVersion": "graft.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": {
                "app": {"name": "text_classify"},
                **spec,
                "training": {
                    "globalBatch": self.recipe.global_batch,
                    "seed": self.seed,
                    "evaluate": {"every": {"steps": 10**6}, "keepBest": False},
                    **spec["training"],
                },
            },
        }
        folder = self.material.folder / f"seed-{self.seed}"
        folder.mkdir(exist_ok=True)
        file = folder / f"{name}.json"
        file.write_text(json.dumps(job))
        return _finished(file, folder / "store")


def _at(rate: float) -> Mapping[str, Any]:
    return {"optimizer": {"learningRate": rate}}


def _finished(job: Path, store: Path) -> Done:
    command = (sys.executable, "-m", "graft_cli", "run", str(job), "--store", str(store))
    done = subprocess.run(
        [*command, "-o", "json"],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LessonError(f"{job}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return Done(status=json.loads(done.stdout))
