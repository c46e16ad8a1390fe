"""What the prepare stage has to know of a kind of job; without torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from graft_api.kinds import TrainingJob
    from graft_worker.config import Settings
    from graft_worker.data.blocks import Blocks
    from graft_worker.data.cache import Cache
    from graft_worker.data.inspect import Inspection
    from graft_worker.data.prepared import Prepared, Problem, Split
    from graft_worker.data.rows import Role
    from graft_worker.data.targets import TargetWish
    from graft_worker.models.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How a kind makes further splits of the same data."""

    found: Inspection
    cache: Cache
    name: Callable[[Path], str]  # of a folder, for other machines of the job
    splits: Callable[[Blocks, Tokenizer, int], dict[str, Split]]  # the last: the longest length


class Preparation(Protocol):
    """The prepare stage of one job."""

    def start(self, settings: Settings) -> Origin:
        """The model that training starts from; what must be fetched is in the job's folder then.

        Raises:
            ConfigError: it cannot be had, or the app has no use for it.
        """
        ...

    @property
    def splits(self) -> tuple[str, ...]:
        """Families whose layers can be split among processes."""
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

    def finished(self, prepared: Prepared, making: Making) -> Prepared:
        """The same with whatever the kind needs besides. Raises as `start`."""
        ...


def of(job: TrainingJob, *, zoo: Path | None) -> Preparation:
    """What the job asks of the prepare stage; `zoo` is the folder of GRAFT_ZOO.

    Raises:
        ConfigError: what it learns from is not there, or does not fit it.
        StoreError: that is damaged.
    """
    module = import_module(f"graft_worker.run.kinds.{job.kind.lower()}.preparing")
    made: Preparation = module.of(job, zoo=zoo)
    return made
