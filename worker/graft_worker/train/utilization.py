"""How much of what the devices could compute the training uses (model FLOPs utilisation)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graft_worker.train.precision import DTYPES, Name

if TYPE_CHECKING:
    from graft_worker.train.run import Run

# Rows, inner and columns of the product that shows a device's best: a CPU's fits its caches, a
# GPU's is large enough to keep all of it busy.
PRODUCTS = {"cpu": (512, 768, 768), "cuda": (8192, 8192, 8192)}
ROUNDS = 6  # products; the first also makes the kernels
SETTLED = 5.0  # seconds of steps before that: no start, and no short training, is held up by it

log = logging.getLogger(__name__)


def share(run: Run, flops_per_second: float) -> float | None:
    """The share of the peak of all devices, or None where that is not known, or not yet.

    `flops_per_second` are those of all processes that the network needs (see `models/arithmetic`).
    """
    process = run.work.process
    if not flops_per_second or run.timing.total < SETTLED:
        return None
    most = peak(process.device, run.precision.name)
    return None if most is None else flops_per_second / (most * process.world)


@cache
def peak(device: torch.device, precision: Name) -> float | None:
    """FLOP/s that this process reaches on the device in that precision, measured once.

    None where nothing is measured: on other devices, and on one whose memory is full.
    """
    if device.type not in PRODUCTS:
        return None
    try:
        return measured(device, DTYPES[precision], time.perf_counter)
    except torch.OutOfMemoryError:
        log.warning("no memory is left on %s to measure its peak: mfu is not told", device)
        return None


def measured(device: torch.device, dtype: torch.dtype, clock: Callable[[], float]) -> float:
    """FLOP/s of the fastest of some matrix products on the device."""
    rows, inner, columns = PRODUCTS[device.type]
    left, right = _drawn(rows, inner, device, dtype), _drawn(inner, columns, device, dtype)
    taken = []
    for _ in range(ROUNDS):
        began = clock()
        left @ right
        _finish(device)
        taken.append(clock() - began)
    return 2.0 * rows * inner * columns / min(taken)


def _drawn(rows: int, columns: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    # Equal numbers cost a GPU less power than real ones, and it would look faster than it is.
    own = torch.Generator(device).manual_seed(0)
    return torch.rand(rows, columns, generator=own, device=device, dtype=dtype)


def _finish(device: torch.device) -> None:
    """Returns when the device has done what it was given; a CPU has done it before."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
