"""Compiling is a wish that may fail. A stand-in compiler: torch's own takes a minute to load."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from graft_worker.train.compilation import compile_blocks, decided
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


CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.mark.parametrize(
    ("wish", "device", "steps", "expected"),
    [
        pytest.param("never", GPU, 100_000, False, id="not wanted"),
        pytest.param("always", CPU, 1, True, id="wanted"),
        pytest.param("auto", CPU, 100_000, False, id="no gain on a CPU"),
        pytest.param("auto", GPU, 999, False, id="too short to pay"),
        pytest.param("auto", GPU, 1000, True, id="long enough"),
    ],
)
def test_what_is_compiled_is_told_by_the_job_and_the_kind_of_device(
    wish: str, device: torch.device, steps: int, expected: bool
) -> None:
    assert decided(wish, device, steps=steps) is expected


def test_every_block_runs_what_the_compiler_made_of_it() -> None:
    layers = blocks()
    assert compile_blocks(layers, attempt=lambda: layers[0](INPUTS), compiler=doubling)
    for compiled, eager in zip(layers, blocks(), strict=True):
        assert torch.equal(compiled(INPUTS), 2 * eager(INPUTS))


def test_a_compiler_that_fails_is_named_and_the_blocks_run_eagerly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    layers, told = blocks(), list[bool]()
    with caplog.at_level(logging.WARNING):
        assert not compile_blocks(
            layers,
            attempt=lambda: layers[0](INPUTS),
            failed=lambda: told.append(True),
            compiler=failing,
        )
    assert told == [True]
    assert caplog.messages == ["compile: no C++ compiler; the model runs eagerly"]
    assert torch.equal(layers[0](INPUTS), blocks()[0](INPUTS))


def test_an_error_of_the_layer_itself_is_not_hidden() -> None:
    layers, asked = blocks(), iter([None, RuntimeError("out of memory")])

    def once(forward: Callable[[Tensor], Tensor], *, dynamic: bool | None) -> Any:
        def compiled(hidden: Tensor) -> Tensor:
            if error := next(asked):
                raise error
            return forward(hidden)

        return compiled

    assert compile_blocks(layers, attempt=lambda: layers[0](INPUTS), compiler=once)
    with pytest.raises(RuntimeError, match="out of memory"):
        layers[0](INPUTS)
