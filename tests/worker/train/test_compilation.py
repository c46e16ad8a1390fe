"""Compiling is a wish that may fail. A stand-in compiler: torch's own takes a minute to load."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from graft_worker.train.compilation import compile_blocks
from tests.worker.train import tiny

INPUTS = torch.ones(2, tiny.HIDDEN)


def doubling(forward: Callable[[Tensor], Tensor], *, dynamic: bool | None) -> Any:
    assert dynamic is None
    return lambda hidden: 2 * forward(hidden)


def failing(forward: Callable[[Tensor], Tensor], *, dynamic: bool | None) -> Any:
    def compiled(hidden: Tensor) -> Tensor:
        raise RuntimeError("no C++ compiler\nand a long trace")

    return compiled


def blocks() -> tuple[torch.nn.Module, ...]:
    torch.manual_seed(3)
    return tuple(tiny.Encoder(0.0).blocks())


@pytest.mark.parametrize("wish", ["auto", "never"])
def test_blocks_stay_eager_unless_asked_for(wish: str) -> None:
    layers = blocks()
    tried: list[int] = []
    assert not compile_blocks(
        layers, wish, static=False, attempt=lambda: tried.append(1), compiler=doubling
    )
    assert tried == []
    assert torch.equal(layers[0](INPUTS), blocks()[0](INPUTS))


def test_every_block_runs_what_the_compiler_made_of_it() -> None:
    layers = blocks()
    assert compile_blocks(
        layers, "always", static=False, attempt=lambda: layers[0](INPUTS), compiler=doubling
    )
    for compiled, eager in zip(layers, blocks(), strict=True):
        assert torch.equal(compiled(INPUTS), 2 * eager(INPUTS))


def test_a_compiler_that_fails_is_named_and_the_blocks_run_eagerly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    layers = blocks()
    with caplog.at_level(logging.WARNING):
        assert not compile_blocks(
            layers, "always", static=False, attempt=lambda: layers[0](INPUTS), compiler=failing
        )
    assert caplog.messages == ["compile: no C++ compiler; the model runs eagerly"]
    assert torch.equal(layers[0](INPUTS), blocks()[0](INPUTS))
