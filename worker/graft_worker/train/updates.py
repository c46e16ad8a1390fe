"""What every optimizer has in common: groups, state per parameter, and one call per step.

`torch.optim` is not used: building any of its classes imports the compiler, which costs every start
of a worker some seconds, and its steps handle sharded tensors one at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from graft_worker.distributed.norms import local

STEP = "step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a step needs of one group: this process's shares of the tensors, in one order."""

    learning_rate: float
    weight_decay: float
    weights: list[Tensor]
    gradients: list[Tensor]
    state: Mapping[
        str, list[Tensor]
    ]  # moments by name, and `step`: steps so far, this one included
    # How many processes hold what this one holds of each tensor; none where all hold all.
    copies: tuple[int, ...]


class Rule(Protocol):
    """How an optimizer changes weights."""

    @property
    def moments(self) -> tuple[str, ...]:
        """Names of what it keeps per parameter, each shaped like the parameter."""
        ...

    def update(self, parts: Sequence[Part]) -> None:
        """Changes weights and moments in place."""
        ...


class Optimizer:
    """A rule applied to groups with `params`, `weight_decay` and `lr`.

    `state` holds tensors by parameter and name; it is filled by the first step. `copies` is that of
    `Sharded`.
    """

    def __init__(
        self,
        groups: Iterable[Mapping[str, Any]],
        rule: Rule,
        *,
        copies: Mapping[nn.Parameter, int] = MappingProxyType({}),
    ) -> None:
        self.param_groups: list[dict[str, Any]] = [dict(group) for group in groups]
        self.state: dict[nn.Parameter, dict[str, Tensor]] = {}
        self._rule = rule
        self._copies = copies

    @torch.no_grad()
    def step(self) -> None:
        """Changes every parameter that has a gradient."""
        parts = [self._part(group) for group in self.param_groups]
        self._rule.update([part for part in parts if part.weights])

    def zero_grad(self) -> None:
        """Drops all gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def _part(self, group: Mapping[str, Any]) -> Part:
        touched = [p for p in group["params"] if p.grad is not None]
        states = [self._state(p) for p in touched]
        if states:
            torch._foreach_add_([state[STEP] for state in states], 1)
        return Part(
            learning_rate=group["lr"],
            weight_decay=group["weight_decay"],
            weights=local(touched),
            gradients=local(p.grad for p in touched),
            state={n: local(s[n] for s in states) for n in (STEP, *self._rule.moments)},
            copies=tuple(self._copies[p] for p in touched) if self._copies else (),
        )

    def _state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        if parameter not in self.state:
            moments = {name: torch.zeros_like(parameter) for name in self._rule.moments}
            self.state[parameter] = {STEP: torch.zeros((), device=parameter.device)} | moments
        return self.state[parameter]
