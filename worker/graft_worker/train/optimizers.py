"""Optimizers by the name that a job gives, and which parameters decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer

from graft_api.errors import ConfigError
from graft_worker.train.lamb import Lamb

if TYPE_CHECKING:
    from graft_api.training import Optimizer as OptimizerSpec

Groups = list[dict[str, Any]]


def build(spec: OptimizerSpec, groups: Groups) -> Optimizer:
    """The optimizer over groups with `params`, `weight_decay` and `lr_scale`.

    adam and adamw both decay apart from the gradient (Loshchilov and Hutter 2019, arXiv
    1711.05101); adam has EasyTransfer's second beta of 0.98.

    Raises:
        ConfigError: the name is none of adamw, adam, lamb, sgd, or every parameter is frozen.
    """
    if not any(group["params"] for group in groups):
        raise ConfigError(
            "method: every parameter is frozen, nothing can be trained",
            hint="freeze fewer layers",
        )
    rate = spec.learning_rate
    if spec.name in ("adamw", "adam"):
        betas = (0.9, 0.999 if spec.name == "adamw" else 0.98)
        return AdamW(groups, lr=rate, betas=betas, eps=1e-6, fused=True)
    if spec.name == "lamb":
        return Lamb(groups, lr=rate)
    if spec.name == "sgd":
        momentum = 0.9 if spec.momentum is None else spec.momentum
        return SGD(groups, lr=rate, momentum=momentum, foreach=True)
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
