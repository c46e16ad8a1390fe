"""Compiling the repeated layers: each once, not the whole model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

# Compiling takes seconds of a start on a GPU and shortens each step: it pays within some hundred.
STEPS_WORTH_IT = 1000

log = logging.getLogger(__name__)


def decided(wish: str, device: torch.device, *, steps: int) -> bool:
    """Whether the blocks are to be compiled; `auto` depends on the job and the kind of device.

    On a CPU an eager step takes as long as a compiled one.
    """
    if wish == "auto":
        return device.type == "cuda" and steps >= STEPS_WORTH_IT
    return wish == "always"


def compile_blocks(
    blocks: Iterable[nn.Module],
    *,
    attempt: Callable[[], object],
    failed: Callable[[], object] = lambda: None,
    compiler: Callable[..., Any] = torch.compile,
) -> bool:
    """Whether the blocks now run compiled code, proven by one `attempt` at a pass.

    What is compiled first knows one shape; the first batch of another makes it take any. A failure
    to compile, now or for a later shape, is logged and leaves all blocks eager from then on. Where
    it is the attempt that fails, `failed` is called.
    """
    chosen = tuple(blocks)

    def give_up(error: Exception) -> None:
        for block in chosen:
            vars(block).pop("forward", None)
        log.warning("compile: %s; the model runs eagerly", _reason(error))

    try:
        for block in chosen:
            # In place of the method alone: hooks and names of the module stay as they are.
            block.forward = compiler(block.forward, dynamic=None)
        attempt()
    except (RuntimeError, OSError, ImportError) as error:  # no compiler, or code it cannot take
        give_up(error)
        failed()
        return False
    for block in chosen:
        block.forward = _or_eager(block, give_up)
    log.info("compile: %d blocks run compiled code", len(chosen))
    return True


def _or_eager(block: nn.Module, give_up: Callable[[Exception], None]) -> Callable[..., Any]:
    """The compiled pass of the block, and the eager one where it has to be compiled and cannot."""
    compiled, eager = block.forward, type(block).forward

    def forward(*inputs: Any, **named: Any) -> Any:
        try:
            return compiled(*inputs, **named)
        except RuntimeError as error:
            if not _of_the_compiler(error):
                raise
            give_up(error)
        return eager(block, *inputs, **named)

    return forward


def _of_the_compiler(error: RuntimeError) -> bool:
    from torch._dynamo.exc import TorchDynamoException  # a second, for those alone who compile

    return isinstance(error, TorchDynamoException)


def _reason(error: Exception) -> str:
    """One line: what the C++ compiler complains of first, else how the message begins."""
    cause = getattr(error, "inner_exception", error)  # torch wraps what it was
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return next((line for line in lines if " error: " in line), lines[0])
