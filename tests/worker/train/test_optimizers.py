"""Update rules against torch's own and against LAMB as the paper writes it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from graft_api.errors import ConfigError
from graft_api.training import Optimizer as Spec
from graft_worker.train import optimizers
from graft_worker.train.updates import Optimizer

RATE, DECAY, STEPS = 0.03, 0.1, 6


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(5, 7), nn.LayerNorm(7), nn.Linear(7, 3))


def groups(module: nn.Module) -> list[dict[str, Any]]:
    named = list(module.named_parameters())
    split = {
        DECAY: [p for n, p in named if optimizers.decays(n, p)],
        0.0: [p for n, p in named if not optimizers.decays(n, p)],
    }
    return [{"params": ps, "weight_decay": decay} for decay, ps in split.items()]


def descend(module: nn.Module, optimizer: Any) -> list[Tensor]:
    draw = torch.Generator().manual_seed(2)
    for _ in range(STEPS):
        inputs = torch.randn(8, 5, generator=draw)
        module(inputs).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
    return [p.detach() for p in module.parameters()]


def ours(name: str, module: nn.Module) -> Optimizer:
    return optimizers.build(Spec(name=name, learning_rate=RATE), groups(module))  # type: ignore[arg-type]  # a literal


def theirs(name: str, module: nn.Module) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD(groups(module), lr=RATE, momentum=0.9)
    beta = 0.98 if name == "adam" else 0.999
    return torch.optim.AdamW(groups(module), lr=RATE, betas=(0.9, beta), eps=1e-6)


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_rule_equals_torchs(name: str) -> None:
    module = network()
    expected = copy.deepcopy(module)
    for mine, other in zip(
        descend(module, ours(name, module)), descend(expected, theirs(name, expected)), strict=True
    ):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-5)


class PaperLamb:
    """LAMB tensor by tensor."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.groups, self.count = groups, 0
        self.moments = {
            p: (torch.zeros_like(p), torch.zeros_like(p)) for g in groups for p in g["params"]
        }

    @torch.no_grad()
    def step(self) -> None:
        self.count += 1
        for group in self.groups:
            for p in group["params"]:
                m, v = self.moments[p]
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                v.mul_(0.999).addcmul_(p.grad, p.grad, value=0.001)
                r = m / (1 - 0.9**self.count) / ((v / (1 - 0.999**self.count)).sqrt() + 1e-6)
                r += group["weight_decay"] * p
                w, u = p.norm().item(), r.norm().item()
                p.sub_(r, alpha=RATE * (w / u if w and u else 1.0))

    def zero_grad(self) -> None:
        for group in self.groups:
            for p in group["params"]:
                p.grad = None


def test_lamb_equals_the_papers_algorithm_tensor_by_tensor() -> None:
    module = network()
    expected = copy.deepcopy(module)
    for mine, other in zip(
        descend(module, ours("lamb", module)),
        descend(expected, PaperLamb(groups(expected))),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-5)


def test_lamb_of_weights_of_norm_zero_takes_the_plain_update() -> None:
    weight = nn.Parameter(torch.zeros(2))
    optimizer = optimizers.build(
        Spec(name="lamb", learning_rate=0.5), [{"params": [weight], "weight_decay": 0.0}]
    )
    weight.grad = torch.tensor([3.0, -4.0])
    optimizer.step()
    torch.testing.assert_close(weight.data, torch.tensor([-0.5, 0.5]))


def test_only_matrices_decay() -> None:
    decaying = [n for n, p in network().named_parameters() if optimizers.decays(n, p)]
    assert decaying == ["0.weight", "2.weight"]


def test_every_group_gets_the_rate_times_its_scale() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimizer = Optimizer([{"params": [weight], "weight_decay": 0.0, "lr_scale": 0.25}], object())  # type: ignore[arg-type]  # never stepped
    optimizers.set_learning_rate(optimizer, 0.8)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        pytest.param(
            "adafactor",
            [nn.Parameter(torch.zeros(1))],
            "training.optimizer.name: adafactor is not available in this version",
            id="an optimizer of a later version",
        ),
        pytest.param(
            "adamw",
            [],
            "method: every parameter is frozen, nothing can be trained",
            id="nothing left to train",
        ),
    ],
)
def test_refused(name: Any, parameters: list[nn.Parameter], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        optimizers.build(Spec(name=name), [{"params": parameters, "weight_decay": 0.0}])
    assert caught.value.message == message
