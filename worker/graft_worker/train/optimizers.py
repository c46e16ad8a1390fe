"""Optimizers by the name that a job gives, and which parameters decay."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from graft_api.errors import ConfigError
from graft_worker.train.lamb import Lamb
from graft_worker.train.update_rules import AdamW, Momentum
from graft_worker.train.updates import Optimizer, Rule

if TYPE_CHECKING:
    from graft_api.training import Optimizer as OptimizerSpec

Groups = list[dict[str, Any]]


def build(
    spec: OptimizerSpec,
    groups: Groups,
    *,
    copies: Mapping[nn.Parameter, int] = MappingProxyType({}),
) -> Optimizer:
    """The optimizer over groups with `params`, `weight_decay` and `lr_scale`.

    `copies` is that of `Sharded`.
    adam and adamw both decay apart from the gradient; adam has EasyTransfer's second beta of 0.98.

    Raises:
        ConfigError: the name is none of adamw, adam, lamb, sgd, or every parameter is frozen.
    """
    if not any(group["params"] for group in groups):
        raise ConfigError(
            "method: every parameter is frozen, nothing can be trained",
            hint="freeze fewer layers",
        )
    rated = ({"lr": spec.learning_rate} | group for group in groups)
    return Optimizer(rated, _rule(spec), copies=copies)


def _rule(spec: OptimizerSpec) -> Rule:
    if spec.name in ("adamw", "adam"):
        return AdamW(beta2=0.999 if spec.name == "adamw" else 0.98)
    if spec.name == "lamb":
        return Lamb()
    if spec.name == "sgd":
        return Momentum(momentum=0.9 if spec.momentum is None else spec.momentum)
    raise ConfigError(
        f"training.optimizer.name: {spec.name} is not available in this version",
        hint="use adamw, adam, lamb or sgd",
    )


def decays(name: str, parameter: Tensor) -> bool:
    """Whether weight decay applies: to neither biases nor normalisation, as in EasyTransfer."""
    return parameter.ndim > 1 and not name.endswith("bias") and "norm" not in name.lower()


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Gives every group the rate times its `lr_scale`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("lr_scale", 1.0)
