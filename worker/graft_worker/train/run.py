"""A training under way: what the loop changes and the callbacks read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from graft_api.progress import PARTS
from graft_worker.models.arithmetic import NOTHING, Arithmetic
from graft_worker.train.timing import Timing

if TYPE_CHECKING:
    import torch

    from graft_worker.checkpoint.store import Checkpoint
    from graft_worker.distributed.sharding import Sharded
    from graft_worker.train.callbacks.hooks import Callbacks
    from graft_worker.train.evaluation import Evaluator
    from graft_worker.train.feed import Feed
    from graft_worker.train.precision import Precision
    from graft_worker.train.schedules import Factor
    from graft_worker.train.settings import Work
    from graft_worker.train.updates import Optimizer


COUNTED = {"productive": "seconds"}  # the name of a part's counter where it has another


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Sums over all processes since step 0, through all restarts."""

    tokens: int = 0  # real ones
    slots: int = 0  # tokens computed, padding included
    samples: int = 0
    flops: float = 0.0  # that learning from these tokens takes
    seconds: float = 0.0  # in steps that were kept
    evaluating: float = 0.0  # seconds in evaluations that were kept
    saving: float = 0.0  # seconds that steps were held up by checkpoints
    lost: float = 0.0  # seconds in what was done again
    starting: float = 0.0  # seconds in first starts of attempts
    restarting: float = 0.0  # seconds in starts after them, and between two starts
    nonfinite: int = 0  # steps left out

    def plus(self, **more: float) -> Counters:
        """These counters with something added to some of them."""
        return replace(self, **{name: getattr(self, name) + add for name, add in more.items()})

    def spent(self) -> dict[str, float]:
        """Seconds by part, under the names of the report."""
        return {part: getattr(self, COUNTED.get(part, part)) for part in PARTS}

    def values(self) -> dict[str, Any]:
        """The counters as plain data."""
        return asdict(self)


@dataclass(slots=True, kw_only=True)
class Run:
    """The state of a training in one process; `step` counts finished optimizer steps."""

    work: Work
    sharded: Sharded
    optimizer: Optimizer
    factor: Factor
    precision: Precision
    scaler: torch.amp.GradScaler
    feed: Feed
    evaluator: Evaluator
    callbacks: Callbacks
    total_steps: int
    parameters: tuple[torch.nn.Parameter, ...]  # those that are trained
    arithmetic: Arithmetic = NOTHING  # of the network; nothing where it does not tell
    step: int = 0
    loss: float | None = None  # mean over the newest step's global batch
    skipped: bool = False  # whether the newest step left the weights alone, being not finite
    ending: bool = False  # whether a callback has ended the training early
    learning_rate: float = 0.0
    began: float | None = None  # when this process began its first step, seconds since 1970
    timing: Timing = field(default_factory=Timing)
    counters: Counters = field(default_factory=Counters)
    metrics: dict[str, float] = field(default_factory=dict)  # newest finite values
    saved_step: int | None = None  # newest step handed to the checkpoints
    durable: Checkpoint | None = None  # newest checkpoint known to be on disk

    def finished(self) -> bool:
        """Whether no step is left to do."""
        return self.ending or self.step >= self.total_steps

    @property
    def epoch(self) -> float:
        """Passes over the training split so far."""
        samples = min(self.step * self.feed.global_batch, self.feed.positions)
        return samples / self.feed.shards.rows

    def measured(self, metrics: Mapping[str, float]) -> None:
        """Takes over the metrics of an evaluation and tells the callbacks."""
        self.metrics = {k: v for k, v in metrics.items() if math.isfinite(v)}
        self.callbacks.after_evaluation(self, metrics)
