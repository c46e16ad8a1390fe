"""The teacher of a job, perhaps with probes, and its answers to the splits of that job.

N rows, C outputs, L layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, cast

import numpy as np

from graft_worker.apps import problems
from graft_worker.data.cache import Cache
from graft_worker.data.shard_writer import MANIFEST
from graft_worker.data.shards import Shards
from graft_worker.distill.answers import Asked, Logits, Teacher, answers, with_answers
from graft_worker.distill.probing import Lesson, probes
from graft_worker.distill.shelf import Shelf
from graft_worker.export import manifest
from graft_worker.models.probes import ProbedClassifier
from graft_worker.run import inference, mirroring

if TYPE_CHECKING:
    from torch import nn

    from graft_api.methods.probes import Probes
    from graft_worker.apps.app import App
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Teacher as Facts
    from graft_worker.distributed.process import Process
    from graft_worker.models.heads import SequenceClassifier

LEARNED = ("train", "unlabelled")  # in the order of the rows that the student learns from


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked of whom; with `probing` the teacher's layers answer as well."""

    settings: Settings
    facts: Facts
    app: App
    probing: Probes | None = None

    def module(self) -> nn.Module:
        """The teacher in evaluation mode, on this process's device."""
        folder = self.settings.store / self.facts.model
        if (folder / manifest.NAME).is_file():
            return inference.open_model(folder).module
        return inference.open_network(folder, self.app)

    def split(self, name: str) -> Shards:
        """A split as the teacher's tokenizer made it."""
        return Shards.open(self.settings.store / self.facts.splits[name].shards)

    def learned(self, process: Process, *, more: tuple[str, ...] = ()) -> Shards:
        """What the student learns from, with the teacher's answers to each row; an exchange.

        The splits in `more` are answered as well, by all processes, for whoever asks later.
        """
        teacher = self._teacher(process)
        names = [name for name in LEARNED if name in self.facts.splits]
        logits = [self._answers(teacher, name, process) for name in names]
        for name in more:
            self._answers(teacher, name, process)
        rows = Shards.open(self.settings.store / self.facts.learned)
        return with_answers(rows, np.concatenate(logits))

    def answers(self, name: str, process: Process) -> Logits:
        """The logits [N, C] of the teacher's head for a split; an exchange."""
        found = self._answers(self._teacher(process), name, process)
        return found if self.probing is None else found[:, -1]

    def _teacher(self, process: Process) -> Teacher:
        """Whoever is asked: the teacher, or it with its probes, which learn where there are none.

        It gives logits [S, C], with probes [S, L + 1, C].
        """
        bare = Teacher(digest=self.facts.digest, load=cache(self.module))
        if self.probing is None:
            return bare
        lesson = Lesson(
            teacher=bare,
            asked=self._asked("train"),
            problem=self.app.problem,
            outputs=problems.outputs(self.app.problem, self.app.labels),
            method=self.probing,
        )
        found = probes(lesson, process=process, shelf=self._shelf())

        def load() -> nn.Module:
            model = cast("SequenceClassifier", bare.load())
            return ProbedClassifier(model, found.to(process.device)).eval()

        return Teacher(digest=f"{bare.digest} {lesson.key}", load=cache(load))

    def _asked(self, name: str) -> Asked:
        shards = self.facts.splits[name].shards
        return Asked(name=shards, shards=Shards.open(self.settings.store / shards))

    def _answers(self, teacher: Teacher, name: str, process: Process) -> Logits:
        return answers(teacher, self._asked(name), process=process, shelf=self._shelf())

    def _shelf(self) -> Shelf:
        mirror = mirroring.of(self.settings)
        bring = partial(mirror.get_folder, last=MANIFEST)
        kept = Cache(root=self.settings.store / "cache", bring=bring)
        return Shelf(cache=kept, send=partial(mirror.put_folder, last=MANIFEST))
