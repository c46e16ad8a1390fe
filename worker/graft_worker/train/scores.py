"""Whether one value of a metric is better than another."""

from __future__ import annotations

import math
from collections.abc import Mapping

from graft_api.errors import ConfigError
from graft_worker.train.settings import Mode


def better(value: float, best: float | None, *, mode: Mode, least: float = 0.0) -> bool:
    """Whether the value beats the best so far by more than `least`; nan beats nothing."""
    if math.isnan(value):
        return False
    if best is None:
        return True
    return value - best > least if mode == "max" else best - value > least


def chosen(metrics: Mapping[str, float], metric: str) -> float:
    """The value of the metric that the job chose.

    Raises:
        ConfigError: the evaluation does not measure it.
    """
    if metric in metrics:
        return metrics[metric]
    raise ConfigError(
        f"training.evaluate.metric: {metric!r} is not measured",
        hint=f"use one of {', '.join(sorted(metrics))}",
    )
