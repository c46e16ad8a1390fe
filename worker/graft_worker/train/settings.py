"""What a training is given: the job's wishes, its examples and its surroundings."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from graft_worker.report.heart import Heart, silent

if TYPE_CHECKING:
    from pathlib import Path

    from graft_api.progress import ProgressReport
    from graft_api.run import Checkpoint as Saving
    from graft_api.training import Training
    from graft_worker.checkpoint.mirrored import MirroredCheckpoints
    from graft_worker.checkpoint.store import Checkpoints
    from graft_worker.data.shards import Shards
    from graft_worker.distributed.process import Process
    from graft_worker.train.task import Task

Mode = Literal["max", "min"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train. `metric` and `mode` choose the best state, resolved from job and app."""

    training: Training
    saving: Saving
    metric: str
    mode: Mode
    strategy: str = "auto"  # workers.parallel.strategy
    largest_world: int = 1  # most processes that may ever deal a global batch among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """What to train on, and how rows are laid out."""

    train: Shards
    validation: Shards | None = None
    test: Shards | None = None  # read once, at the end
    width: int  # tokens per row at most
    packing: bool  # several sequences per row


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The world around the loop: everything with an effect or a clock."""

    checkpoints: Checkpoints | MirroredCheckpoints
    report: Callable[[ProgressReport], None]
    stop: Callable[[], bool]  # asked at every step: whether to save and stop
    save: Callable[[], bool] = lambda: False  # asked at every step: whether to save and go on
    heart: Heart = field(default_factory=silent)  # told of every step
    started: float | None = None  # when this process was started, by `clock`
    previous: ProgressReport | None = None  # what was reported last before this start
    restarts: int = 0
    job_uid: str = "local"
    attempt: int = 1
    compiled: Path | None = None  # where compiled code is kept for the job's next attempt
    environ: MutableMapping[str, str] = field(default_factory=dict)  # told of that folder
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time  # seconds since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A training as it is handed to one process."""

    task: Task
    process: Process
    recipe: Recipe
    examples: Examples
    surroundings: Surroundings
