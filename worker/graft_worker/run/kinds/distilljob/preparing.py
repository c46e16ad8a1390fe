"""What a DistillJob asks of the prepare stage: rows as student and as teacher read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_worker.apps import registry
from graft_worker.data.joining import joined
from graft_worker.data.prepared import Teacher
from graft_worker.distill.taking import taken
from graft_worker.models import folders, origin, tokenization
from graft_worker.run.kinds.distilljob import teachers
from graft_worker.run.kinds.distilljob.naming import of_student, of_teacher

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

    from graft_api.distilljob import DistillJob, DistillJobSpec, Student
    from graft_worker.config import Settings
    from graft_worker.data.blocks import Blocks
    from graft_worker.data.inspect import Inspection
    from graft_worker.data.prepared import Prepared, Problem
    from graft_worker.data.rows import Role
    from graft_worker.data.targets import TargetWish
    from graft_worker.export.artefact import Artefact
    from graft_worker.models.origin import Origin
    from graft_worker.run.kinds.preparing import Making


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillPreparation:
    """A `Preparation` (see `preparing.py` above)."""

    spec: DistillJobSpec
    student: Student
    teacher: Artefact

    def start(self, settings: Settings) -> Origin:
        """The student before it has learned."""
        found = self._start(settings)
        teachers.check_layers(self.spec, found.folder, "spec.student.from")
        return found

    def _start(self, settings: Settings) -> Origin:
        into, source = settings.job_dir / "model", self.student.from_
        with of_student():
            if source.teacher is None:
                return origin.resolve(self.student, zoo=settings.zoo, into=into)
            folder = taken(self.teacher.folder, source.teacher.layers, into=into)
            files = (folder / folders.CONFIG, *folders.weight_files(folder))
            found = origin.Origin(folder=folder, digest=origin.digest(files), random=False)
            return origin.pinned(found, self.student.revision)

    @property
    def splits(self) -> tuple[str, ...]:
        """None: such a job is refused when it is planned."""
        return ()

    def tokenizer(self, settings: Settings, start: Origin, texts: Iterator[str]) -> Tokenizer:
        """The student's own, or the one that the job wishes; the teacher's where it has none."""
        if self.student.tokenizer is None and (start.random or self.student.from_.teacher):
            return self._tokenizer()
        into = settings.job_dir / "tokenizer"
        with of_student():
            return origin.tokenizer(self.student, start, texts=texts, zoo=settings.zoo, into=into)

    def roles(self) -> tuple[Role, ...]:
        """The app's columns."""
        return registry.roles(self.spec.app)

    def wish(self) -> TargetWish:
        """Problem and labels are the teacher's."""
        known = registry.wish(self.spec.app)
        return replace(
            known,
            problem=self.teacher.problem or "auto",
            labels=self.teacher.labels,
            giver="spec.teacher",
        )

    def problem(self, found: Inspection) -> Problem | None:
        """The teacher's."""
        return found.problem

    def blocks(self, found: Inspection, tokenizer: Tokenizer) -> Blocks:
        """Each row by the app's features."""
        return self._blocks(found, tokenizer, self.spec.data.max_length)

    def key_parts(self) -> dict[str, str]:
        """The app and its parameters, as of a TransferJob: equal shards serve both."""
        app: dict[str, Any] = self.spec.app.model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
        return {"app": json.dumps(app, sort_keys=True)}

    def finished(self, prepared: Prepared, making: Making) -> Prepared:
        """The same with the rows as the teacher reads them, and those that teach the student."""
        tokenizer, longest = self._tokenizer(), self.teacher.max_length
        answered = making.splits(self._blocks(making.found, tokenizer, longest), tokenizer, longest)
        train, bare = prepared.splits["train"], prepared.splits.get("unlabelled")
        learned = train.shards
        if bare is not None:
            names = (split.shards.rpartition("/")[2] for split in (train, bare))
            name = joined(*names, cache=making.cache, vocabulary=prepared.vocabulary)
            learned = f"{making.cache.root.name}/{name}"
        teacher = Teacher(
            model=making.name(self.teacher.folder),
            digest=self.teacher.digest,
            splits=answered,
            learned=learned,
        )
        return replace(prepared, teacher=teacher)

    def _tokenizer(self) -> Tokenizer:
        with of_teacher():
            return tokenization.load(self.teacher.folder)

    def _blocks(self, found: Inspection, tokenizer: Tokenizer, longest: int) -> Blocks:
        app = registry.build(self.spec.app, problem=found.problem, labels=found.labels)
        return partial(map, app.features(tokenizer, longest))


def of(job: DistillJob, *, zoo: Path | None) -> DistillPreparation:
    """The preparation of a DistillJob.

    Raises:
        ConfigError: there is no teacher, or it does not fit the job.
        StoreError: the teacher is damaged.
    """
    if job.spec.student is None:
        raise ConfigError("spec.student: is required by this method")
    teacher = teachers.found(job.spec, zoo=zoo)
    return DistillPreparation(spec=job.spec, student=job.spec.student, teacher=teacher)
