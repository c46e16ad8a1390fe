"""LAMB (You et al. 2020, arXiv 1904.00962, algorithm 2) over all tensors at once, sharded or not.

The trust ratio needs the norm of the whole parameter. Where processes hold parts, the squares of
the local norms travel in one vector: one exchange per step, not one per tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.optim import Optimizer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one group changes in this step: this process's share of weights and their updates."""

    learning_rate: float
    weights: tuple[Tensor, ...]
    updates: tuple[Tensor, ...]


class Lamb(Optimizer):
    """Adam's update with decoupled decay, scaled per parameter by |weight| / |update|.

    The ratio is 1 where either norm is 0. Whole and sharded parameters must not be mixed.
    """

    def __init__(
        self,
        params: Iterable[dict[str, Any]],
        *,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # returns no loss
        """Changes every parameter that has a gradient."""
        assert closure is None
        touched = [
            (group, [p for p in group["params"] if p.grad is not None])
            for group in self.param_groups
        ]
        sharded = any(hasattr(p, "to_local") for _, ps in touched for p in ps)
        parts = [self._part(group, ps) for group, ps in touched if ps]
        if parts:
            _apply(parts, sharded=sharded)

    def _part(self, group: dict[str, Any], parameters: list[Tensor]) -> _Part:
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter] = _fresh(parameter)
        states = [self.state[p] for p in parameters]
        torch._foreach_add_([s["step"] for s in states], 1)
        weights = _local(parameters)
        updates = _directions(
            group,
            step=states[0]["step"].item(),
            weights=weights,
            gradients=_local([p.grad for p in parameters]),
            moments=(
                _local([s["exp_avg"] for s in states]),
                _local([s["exp_avg_sq"] for s in states]),
            ),
        )
        return _Part(learning_rate=group["lr"], weights=weights, updates=updates)


def _fresh(parameter: Tensor) -> dict[str, Tensor]:
    return {
        "step": torch.zeros(()),
        "exp_avg": torch.zeros_like(parameter),
        "exp_avg_sq": torch.zeros_like(parameter),
    }


def _local(tensors: Iterable[Any]) -> tuple[Tensor, ...]:
    return tuple(t.to_local() if hasattr(t, "to_local") else t for t in tensors)


def _directions(
    group: dict[str, Any],
    *,
    step: float,
    weights: tuple[Tensor, ...],
    gradients: tuple[Tensor, ...],
    moments: tuple[tuple[Tensor, ...], tuple[Tensor, ...]],
) -> tuple[Tensor, ...]:
    first, second = moments
    beta1, beta2 = group["betas"]
    torch._foreach_lerp_(first, gradients, 1 - beta1)
    torch._foreach_mul_(second, beta2)
    torch._foreach_addcmul_(second, gradients, gradients, 1 - beta2)
    spread = torch._foreach_div(second, 1 - beta2**step)
    torch._foreach_sqrt_(spread)
    torch._foreach_add_(spread, group["eps"])
    updates = torch._foreach_div(first, 1 - beta1**step)
    torch._foreach_div_(updates, spread)
    torch._foreach_add_(updates, weights, alpha=group["weight_decay"])
    return tuple(updates)


def _apply(parts: list[_Part], *, sharded: bool) -> None:
    weights = [w for part in parts for w in part.weights]
    updates = [u for part in parts for u in part.updates]
    rates = [part.learning_rate for part in parts for _ in part.weights]
    squares = torch.stack([n.double() for n in torch._foreach_norm(weights + updates)]).square()
    if sharded:
        dist.all_reduce(squares)
    norms = squares.sqrt().tolist()
    pairs = zip(rates, norms[: len(weights)], norms[len(weights) :], strict=True)
    torch._foreach_mul_(updates, [-rate * (w / u if w and u else 1.0) for rate, w, u in pairs])
    torch._foreach_add_(weights, updates)
