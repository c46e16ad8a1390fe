"""What the prepare stage has to know of a kind of job; without torch."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from graft_api.kinds import TrainingJob
    from graft_worker.config import Settings
    from graft_worker.data.blocks import Blocks
    from graft_worker.data.inspect import Inspection
    from graft_worker.data.prepared import Problem
    from graft_worker.data.rows import Role
    from graft_worker.data.targets import TargetWish
    from graft_worker.models.origin import Origin


class Preparation(Protocol):
    """The prepare stage of one job."""

    def start(self, settings: Settings) -> Origin:
        """The model that training starts from; what must be fetched is in the job's folder then.

        Raises:
            ConfigError: it cannot be had, or the app has no use for it.
        """
        ...

    def tokenizer(self, settings: Settings, start: Origin, texts: Iterator[str]) -> Tokenizer:
        """The tokenizer, perhaps trained on the texts of the train split. Raises as `start`."""
        ...

    def roles(self) -> tuple[Role, ...]:
        """The columns that are read."""
        ...

    def wish(self) -> TargetWish:
        """What the job says of the target before the data are read."""
        ...

    def problem(self, found: Inspection) -> Problem | None:
        """What a row's target is; None where rows have none."""
        ...

    def blocks(self, found: Inspection, tokenizer: Tokenizer) -> Blocks:
        """How rows become shards. Raises ConfigError where the tokenizer does not fit."""
        ...

    def key_parts(self) -> dict[str, str]:
        """What shards depend on besides data, tokenizer and longest length."""
        ...


def of(job: TrainingJob) -> Preparation:
    """What the job asks of the prepare stage."""
    module = import_module(f"graft_worker.run.kinds.{job.kind.lower()}.preparing")
    made: Preparation = module.of(job)
    return made
