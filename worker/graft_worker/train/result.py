"""What a finished training leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """Where the training ended and how good its weights are.

    `metrics` are those of the final weights on the validation split: of the best step where the job
    keeps it, of the last evaluation otherwise.
    """

    step: int
    total_steps: int
    stopped_early: bool
    loss: float | None  # of the last step
    metrics: Mapping[str, float] = field(default_factory=dict)
    best_metrics: Mapping[str, float] = field(default_factory=dict)
    best_step: int | None = None
    test_metrics: Mapping[str, float] = field(default_factory=dict)
    tokens: int
    samples: int
    seconds: float  # in steps that were kept
    spent: Mapping[str, float] = field(default_factory=dict)  # seconds by part, as reported
    precision: str
    micro_batch: int
    strategy: str
    # The final weights under the module's own names, whole and on rank 0; empty elsewhere.
    weights: Mapping[str, Tensor] = field(default_factory=dict)
