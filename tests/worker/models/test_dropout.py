"""Keyed dropout: a function of keys, site and feature with the statistics of dropout."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from graft_worker.models.dropout import KeyedDropout, feature_keys, keep

WIDTH = 384
FEATURES = [-1492722385, -1283284219, 1662685524, -1475691892]
DRAWS = ["1010010011011111", "0010111110100110"]


def keys(count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-(2**31), 2**31, (count,), generator=generator).int()


def kept(rate: float, *, site: int = 3, count: int = 20_000, width: int = WIDTH) -> Tensor:
    return keep(keys(count), feature_keys(site, width), rate, like=torch.empty(count, width))


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.3, 0.5, 0.9])
def test_the_rate_is_right_within_binomial_bounds(rate: float) -> None:
    mask = kept(rate)
    deviation = math.sqrt(rate * (1 - rate) / mask.numel())
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert abs(mask.double().mean().item() - (1 - rate)) < 5 * deviation + 2**-17


def test_features_and_tokens_are_independent() -> None:
    rate, mask = 0.1, kept(0.1)
    centred = (mask - (1 - rate)) / math.sqrt(rate * (1 - rate))
    across = centred.T @ centred / math.sqrt(len(centred))  # each entry about normal(0, 1)
    across.fill_diagonal_(0)
    assert across.abs().max() < 7
    assert abs(across.std().item() - 1) < 0.05
    assert abs((centred.mean(0) * math.sqrt(len(centred))).std().item() - 1) < 0.2


def test_sites_draw_independently() -> None:
    rate, one, other = 0.1, kept(0.1, site=3), kept(0.1, site=4)
    both = ((one - (1 - rate)) * (other - (1 - rate))).mean().item() / (rate * (1 - rate))
    assert abs(both) * math.sqrt(one.numel()) < 5


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param((4, 6), id="as four rows"),
        pytest.param((24,), id="as one row"),
        pytest.param((2, 3, 4), id="with another axis"),
    ],
)
def test_the_same_features_go_in_any_arrangement(shape: tuple[int, ...]) -> None:
    dropout = KeyedDropout(site=1, width=WIDTH, rate=0.25)
    x = torch.randn(24, WIDTH, generator=torch.Generator().manual_seed(1))
    alone = torch.cat([dropout(x[i : i + 1], keys(24)[i : i + 1]) for i in range(24)])
    together = dropout(x.view(*shape, WIDTH), keys(24).view(shape))
    assert torch.equal(together.view(24, WIDTH), alone)


def test_the_expectation_is_kept() -> None:
    dropout = KeyedDropout(site=2, width=WIDTH, rate=0.1)
    out = dropout(torch.ones(20_000, WIDTH), keys(20_000))
    assert abs(out.double().mean().item() - 1) < 5 * math.sqrt(0.1 / 0.9 / out.numel()) + 1e-5


@pytest.mark.parametrize("width", [8, 7, 1], ids=["even", "odd", "a single feature"])
@pytest.mark.parametrize("adds", [True, False], ids=["with a residual", "without a residual"])
def test_gradients_are_those_of_the_mask(width: int, adds: bool) -> None:
    dropout = KeyedDropout(site=2, width=width, rate=0.3)
    made = torch.Generator().manual_seed(4)
    x = torch.randn(5, width, generator=made, dtype=torch.float64, requires_grad=True)
    residual = torch.randn(5, width, generator=made, dtype=torch.float64, requires_grad=True)
    arguments = (x, keys(5), residual) if adds else (x, keys(5))
    assert torch.autograd.gradcheck(dropout, arguments)
    mask = keep(keys(5), dropout.features, 0.3, like=x)
    wanted = x * mask * (65536 / (65536 - round(0.3 * 65536))) + (residual if adds else 0)
    torch.testing.assert_close(dropout(*arguments), wanted)


def test_bfloat16_drops_the_same_features_without_bias() -> None:
    dropout = KeyedDropout(site=2, width=WIDTH, rate=0.1)
    x = torch.ones(64, WIDTH)
    small = dropout(x.bfloat16(), keys(64))
    assert small.dtype is torch.bfloat16
    assert torch.equal(small, dropout(x, keys(64)).bfloat16())


@pytest.mark.parametrize(
    ("rate", "training"),
    [pytest.param(0.0, True, id="at rate 0"), pytest.param(0.5, False, id="in evaluation")],
)
def test_it_is_the_identity(rate: float, training: bool) -> None:
    dropout = KeyedDropout(site=2, width=8, rate=rate).train(training)
    x = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    assert dropout(x, keys(3)) is x
    assert torch.equal(dropout(x, keys(3), x), 2 * x)


def test_the_draws_are_fixed_for_ever() -> None:
    """Resumed runs depend on these numbers: they may change with no release."""
    assert feature_keys(0, 8).tolist() == FEATURES
    features = keep(torch.tensor([1, -7]).int(), feature_keys(5, 16), 0.5, like=torch.empty(2, 16))
    assert ["".join(str(int(v)) for v in row) for row in features] == DRAWS


def test_a_rate_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"dropout 1\.0: expected at least 0 and less than 1"):
        KeyedDropout(site=0, width=8, rate=1.0)


# torch's compiler itself makes an instance of the class that it warns of
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compiled_and_eager_agree() -> None:
    dropout = KeyedDropout(site=2, width=64, rate=0.3)
    compiled = torch.compile(dropout, backend="aot_eager", fullgraph=True)
    results = []
    for function in (dropout, compiled):
        x = torch.linspace(-1, 1, 20 * 64).view(20, 64).requires_grad_()
        function(x, keys(20), torch.ones(20, 64)).square().sum().backward()
        results.append(x.grad)
    torch.testing.assert_close(results[1], results[0])
