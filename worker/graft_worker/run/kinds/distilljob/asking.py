"""The teacher of a job, and its answers to the splits of that job."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from graft_worker.data.cache import Cache
from graft_worker.data.shard_writer import MANIFEST
from graft_worker.data.shards import Shards
from graft_worker.distill.answers import Asked, Logits, Shelf, Teacher, answers, with_answers
from graft_worker.run import inference, mirroring

if TYPE_CHECKING:
    from torch import nn

    from graft_worker.config import Settings
    from graft_worker.data.prepared import Teacher as Facts
    from graft_worker.distributed.process import Process

LEARNED = ("train", "unlabelled")  # in the order of the rows that the student learns from


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked of whom."""

    settings: Settings
    facts: Facts

    def module(self) -> nn.Module:
        """The teacher in evaluation mode, on this process's device."""
        return inference.open_model(self.settings.store / self.facts.model).module

    def split(self, name: str) -> Shards:
        """A split as the teacher's tokenizer made it."""
        return Shards.open(self.settings.store / self.facts.splits[name].shards)

    def learned(self, process: Process, *, more: tuple[str, ...] = ()) -> Shards:
        """What the student learns from, with the teacher's answers to each row; an exchange.

        The splits in `more` are answered as well, by all processes, for whoever asks later.
        """
        teacher = Teacher(digest=self.facts.digest, load=cache(self.module))
        names = [name for name in LEARNED if name in self.facts.splits]
        logits = [self._answers(teacher, name, process) for name in names]
        for name in more:
            self._answers(teacher, name, process)
        rows = Shards.open(self.settings.store / self.facts.learned)
        return with_answers(rows, np.concatenate(logits))

    def answers(self, name: str, process: Process) -> Logits:
        """The teacher's logits [N, C] for a split; an exchange."""
        teacher = Teacher(digest=self.facts.digest, load=cache(self.module))
        return self._answers(teacher, name, process)

    def _answers(self, teacher: Teacher, name: str, process: Process) -> Logits:
        shards = self.facts.splits[name].shards
        asked = Asked(name=shards, shards=Shards.open(self.settings.store / shards))
        return answers(teacher, asked, process=process, shelf=self._shelf())

    def _shelf(self) -> Shelf:
        mirror = mirroring.of(self.settings)
        bring = partial(mirror.get_folder, last=MANIFEST)
        kept = Cache(root=self.settings.store / "cache", bring=bring)
        return Shelf(cache=kept, send=partial(mirror.put_folder, last=MANIFEST))
