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
    compiler: Callable[..., Any] = torch.compile,
) -> bool:
    """Whether the blocks now run compiled code, proven by one `attempt` at a pass.

    What is compiled first knows one shape; the first batch of another makes it take any. A failure
    to compile is logged and leaves the blocks eager.
    """
    chosen = tuple(blocks)
    try:
        for block in chosen:
            # In place of the method alone: hooks and names of the module stay as they are.
            block.forward = compiler(block.forward, dynamic=None)
        attempt()
    except (RuntimeError, OSError, ImportError) as error:  # no compiler, or code it cannot take
        for block in chosen:
            vars(block).pop("forward", None)
        log.warning("compile: %s; the model runs eagerly", str(error).strip().splitlines()[0])
        return False
    log.info("compile: %d blocks run compiled code", len(chosen))
    return True
