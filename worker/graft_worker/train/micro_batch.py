"""How many sequences one process takes at a time: as many as fit, in equal portions.

On a CPU fitting means the caches, too: what layers hand on is read again at once.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from graft_worker.distributed import limits

if TYPE_CHECKING:
    from graft_worker.distributed.process import Process

# The rest is for gradients in flight, kernels' own workspace and the next batches.
SHARE = 0.6
TOKENS = 2048  # of a micro-batch on a CPU: a tenth faster than 8192, which leave the caches

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """What autograd keeps of the longest one, and the tokens of the usual one."""

    bytes: float
    tokens: float


def portion(global_batch: int, world: int, most: int) -> int:
    """Sequences per micro-batch: equal portions of at most `most`, with no process idle.

    >>> portion(32, 1, 100), portion(32, 2, 100), portion(32, 2, 6)
    (32, 16, 6)
    """
    share = math.ceil(global_batch / world)
    rounds = math.ceil(share / max(1, most))
    return math.ceil(share / rounds)


def fitting(bytes_per_sequence: float, *, free: int, state: int) -> int:
    """Sequences whose activations fit beside `state` bytes in `free` bytes; at least one."""
    room = (free - state) * SHARE
    return max(1, int(room / max(1.0, bytes_per_sequence)))


def probe(
    sequence: Sequence, module: nn.Module, process: Process, *, global_batch: int, world: int
) -> int:
    """The micro-batch for this machine, the same in every process.

    `world` is the largest number of processes that may come to share the global batch. The process
    with the least memory decides.
    """
    most = fitting(sequence.bytes, free=_free_bytes(process), state=_state_bytes(module))
    if process.device.type == "cpu":
        most = min(most, max(1, int(TOKENS / max(1.0, sequence.tokens))))
    agreed = process.broadcast(min(process.gather(most), default=most))
    chosen = portion(global_batch, world, agreed)
    log.info("micro-batch %d: %.1f MB a sequence, %d fit", chosen, sequence.bytes / 1e6, agreed)
    return chosen


def _free_bytes(process: Process) -> int:
    if process.device.type == "cuda":
        return int(torch.cuda.mem_get_info(process.device)[0])
    return limits.free_bytes() // process.local_world


def _state_bytes(module: nn.Module) -> int:
    """Gradient and two moments of what is trained; the weights are in memory already."""
    return sum(3 * p.nbytes for p in module.parameters() if p.requires_grad)
