"""From how long to train to how many samples and steps that is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graft_api.training import EvaluationInterval, Length


def positions(length: Length, *, rows: int, tokens: int, global_batch: int) -> int:
    """Samples to train on, from a split of so many rows and tokens; at least one."""
    if length.epochs is not None:
        return max(1, round(length.epochs * rows))
    if length.steps is not None:
        return length.steps * global_batch
    assert length.tokens is not None
    return math.ceil(length.tokens * rows / tokens)


def steps(positions: int, global_batch: int) -> int:
    """Optimizer steps over so many samples; the last one may be smaller."""
    return math.ceil(positions / global_batch)


def due(every: EvaluationInterval, step: int, *, rows: int, global_batch: int) -> bool:
    """Whether step number `step`, counted from 1, completes another interval."""
    if every.steps is not None:
        return step % every.steps == 0
    assert every.epochs is not None
    samples = every.epochs * rows
    return step * global_batch // samples > (step - 1) * global_batch // samples
