"""What the train stage has to know of a kind of job."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.data.shards import Shards, View
    from graft_worker.distributed.process import Process
    from graft_worker.export.contents import Contents
    from graft_worker.train.result import TrainingResult
    from graft_worker.train.settings import Mode
    from graft_worker.train.task import Task


class Training(Protocol):
    """The train stage of one job."""

    @property
    def task(self) -> Task:
        """What the loop trains."""
        ...

    @property
    def architecture(self) -> str:
        """The family of the encoder, for messages."""
        ...

    @property
    def packs(self) -> bool:
        """Whether the encoder can tell packed texts apart."""
        ...

    @property
    def view(self) -> View | None:
        """How examples are shown to the model, if not as they are."""
        ...

    def choice(self, metric: str | None) -> tuple[str, Mode]:
        """The metric that chooses the best state, by its full name, and its usual mode.

        `metric` is the job's wish; None where it has none.

        Raises:
            ConfigError: there is no such metric.
        """
        ...

    def learned(self, splits: Mapping[str, Shards], process: Process) -> Shards:
        """What the loop trains on, made of the splits by all processes together."""
        ...

    def contents(self, result: TrainingResult) -> Contents:
        """What goes into the artefact."""
        ...

    def comparison(self, result: TrainingResult, made: Contents) -> dict[str, Any]:
        """`status.comparison`: the model beside its teacher; empty where there is none."""
        ...


def of(settings: Settings, prepared: Prepared) -> Training:
    """What the job's kind asks of the train stage.

    Raises:
        ConfigError: the model cannot be had, or does not fit the job.
    """
    module = import_module(f"graft_worker.run.kinds.{settings.job.kind.lower()}.training")
    made: Training = module.of(settings, prepared)
    return made
