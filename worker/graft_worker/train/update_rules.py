"""Update rules that work on every element by itself, so that sharding changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from graft_worker.train.updates import STEP, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class AdamW:
    """Adam with decay apart from the gradient (Loshchilov and Hutter 2019, arXiv 1711.05101)."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-6
    moments: tuple[str, ...] = ("exp_avg", "exp_avg_sq")

    def update(self, parts: Sequence[Part]) -> None:
        """One fused kernel per group."""
        for part in parts:
            torch._fused_adamw_(
                part.weights,
                part.gradients,
                part.state["exp_avg"],
                part.state["exp_avg_sq"],
                [],
                part.state[STEP],
                lr=part.learning_rate,
                beta1=self.beta1,
                beta2=self.beta2,
                weight_decay=part.weight_decay,
                eps=self.eps,
                amsgrad=False,
                maximize=False,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum:
    """Stochastic gradient descent with momentum; the decay is part of the gradient, as is usual."""

    momentum: float = 0.9
    moments: tuple[str, ...] = ("momentum",)

    def update(self, parts: Sequence[Part]) -> None:
        """Velocity = momentum velocity + gradient + decay weight; weight -= rate velocity."""
        for part in parts:
            slopes = torch._foreach_add(part.gradients, part.weights, alpha=part.weight_decay)
            torch._foreach_mul_(part.state["momentum"], self.momentum)
            torch._foreach_add_(part.state["momentum"], slopes)
            torch._foreach_add_(part.weights, part.state["momentum"], alpha=-part.learning_rate)
