"""LAMB (You et al. 2020, arXiv 1904.00962, algorithm 2) over all tensors at once, sharded or not.

The trust ratio needs the norm of the whole parameter. Where processes hold parts, the squares of
the local norms travel in one vector: one exchange per step, not one per tensor. A part that several
processes hold counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graft_worker.distributed import norms
from graft_worker.train.updates import STEP, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamb:
    """Adam's update with decoupled decay, scaled per parameter by |weight| / |update|.

    The ratio is 1 where either norm is 0.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-6
    moments: tuple[str, ...] = ("exp_avg", "exp_avg_sq")

    def update(self, parts: Sequence[Part]) -> None:
        """About fifteen calls for all tensors, and one exchange where they are sharded."""
        if not parts:
            return
        updates = [u for part in parts for u in self._directions(part)]
        weights = [w for part in parts for w in part.weights]
        rates = [part.learning_rate for part in parts for _ in part.weights]
        copies = [count for part in parts for count in part.copies]
        squares = norms.squares([*weights, *updates], copies=[*copies, *copies])
        lengths: list[float] = squares.sqrt().tolist()
        pairs = zip(rates, lengths[: len(weights)], lengths[len(weights) :], strict=True)
        torch._foreach_mul_(updates, [-rate * (w / u if w and u else 1.0) for rate, w, u in pairs])
        torch._foreach_add_(weights, updates)

    def _directions(self, part: Part) -> Sequence[Tensor]:
        first, second = part.state["exp_avg"], part.state["exp_avg_sq"]
        step = part.state[STEP][0].item()
        torch._foreach_lerp_(first, part.gradients, 1 - self.beta1)
        torch._foreach_mul_(second, self.beta2)
        torch._foreach_addcmul_(second, part.gradients, part.gradients, 1 - self.beta2)
        spread = torch._foreach_div(second, 1 - self.beta2**step)
        torch._foreach_sqrt_(spread)
        torch._foreach_add_(spread, self.eps)
        updates = torch._foreach_div(first, 1 - self.beta1**step)
        torch._foreach_div_(updates, spread)
        torch._foreach_add_(updates, part.weights, alpha=part.weight_decay)
        return updates
