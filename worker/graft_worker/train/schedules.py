"""The learning rate as a pure function of the step: nothing to save, nothing to restore."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graft_api.training import Schedule

Factor = Callable[[int], float]


def build(spec: Schedule, total: int) -> Factor:
    """The factor of the peak rate in step 0, 1, ... `total` - 1.

    It rises by (step + 1) / (warmup + 1), is 1 in step `warmup`, and falls with
    t = (step - warmup) / (total - warmup) by the schedule's shape. No step has the factor 0: the
    first and the last one learn as well.
    """
    rise = warmup_steps(spec.warmup, total)
    power = 1.0 if spec.power is None else spec.power
    shape = _shapes(power)[spec.name]

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / (rise + 1)
        return shape(min(1.0, (step - rise) / max(1, total - rise)))

    return factor


def warmup_steps(warmup: float, total: int) -> int:
    """Steps of warm-up: below 1 a share of the total, from 1 a number; at most the total."""
    return min(total, round(warmup * total) if warmup < 1 else int(warmup))


def _shapes(power: float) -> Mapping[str, Callable[[float], float]]:
    return {
        "constant": lambda _: 1.0,
        "linear": lambda t: 1.0 - t,
        "cosine": lambda t: 0.5 * (1.0 + math.cos(math.pi * t)),
        "polynomial": lambda t: (1.0 - t) ** power,
    }
