"""Compiling the repeated layers: each once, not the whole model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

log = logging.getLogger(__name__)


def compile_blocks(
    blocks: Iterable[nn.Module],
    wish: str,
    *,
    static: bool,
    attempt: Callable[[], object],
    compiler: Callable[..., Any] = torch.compile,
) -> bool:
    """Whether the blocks now run compiled code, proven by one `attempt` at a pass.

    `auto` stays eager: batches change their shape, and compiling pays only where they do not.
    `static` promises that they do not. A failure to compile is logged and leaves the blocks eager.
    """
    if wish != "always":
        return False
    chosen = tuple(blocks)
    try:
        for block in chosen:
            # In place of the method alone: hooks and names of the module stay as they are.
            block.forward = compiler(block.forward, dynamic=False if static else None)
        attempt()
    except (RuntimeError, OSError, ImportError) as error:  # no compiler, or code it cannot take
        for block in chosen:
            vars(block).pop("forward", None)
        log.warning("compile: %s; the model runs eagerly", str(error).strip().splitlines()[0])
        return False
    log.info("compile: %d blocks run compiled code", len(chosen))
    return True
