"""How much of what the device could compute the training uses (model FLOPs utilisation)."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import nn

from graft_worker.distributed import splits
from graft_worker.train.precision import DTYPES, Name

if TYPE_CHECKING:
    from graft_worker.train.run import Run

# Dense peak in FLOP/s by part of the device's name and by precision, from the makers' data sheets.
PEAKS: dict[str, dict[str, float]] = {
    "H200": {"bf16": 989e12, "fp16": 989e12},
    "H100 PCIe": {"bf16": 756e12, "fp16": 756e12},
    "H100": {"bf16": 989e12, "fp16": 989e12},
    "A100": {"bf16": 312e12, "fp16": 312e12},
    "L40S": {"bf16": 362e12, "fp16": 362e12},
    "L4": {"bf16": 121e12, "fp16": 121e12},
    "T4": {"fp16": 65e12},
}


# A CPU's peak is measured, since clock, cores and what it multiplies in are in no list.
PRODUCT = (512, 768, 768)  # rows, inner, columns: fits the caches
ROUNDS = 6
SETTLED = 5.0  # seconds of steps before that: no start, and no short training, is held up by it


def share(run: Run, tokens_per_second: float) -> float | None:
    """The share of the peak of all devices, or None where that is not known, or not yet."""
    process = run.work.process
    if not tokens_per_second or run.timing.total < SETTLED:
        return None
    most = peak(process.device, run.precision.name)
    if most is None:
        return None
    return tokens_per_second * flops_per_token(run.work.task.module) / (most * process.world)


def peak(device: torch.device, precision: Name) -> float | None:
    """FLOP/s of the device in that precision, or None where they are not known.

    Of a GPU as its maker says, of a CPU as this process's threads multiply at their best.
    """
    if device.type == "cpu":
        return _of_cpu(precision)
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    found = next((peaks for part, peaks in PEAKS.items() if part in name), {})
    return found.get(precision)


@cache
def _of_cpu(precision: Name) -> float:
    return measured(DTYPES[precision], time.perf_counter)


def measured(dtype: torch.dtype, clock: Callable[[], float]) -> float:
    """FLOP/s of the fastest of some matrix products on the CPU."""
    rows, inner, columns = PRODUCT
    left, right = torch.ones(rows, inner, dtype=dtype), torch.ones(inner, columns, dtype=dtype)
    taken = []
    for _ in range(ROUNDS):
        began = clock()
        left @ right
        taken.append(clock() - began)
    return 2.0 * rows * inner * columns / min(taken)


def flops_per_token(module: nn.Module) -> float:
    """Two for each weight forward and four backward; embeddings are looked up, not multiplied.

    Products of attention, which depend on the length, are left out: the share is a lower bound.
    """
    tables = {id(m.weight) for m in module.modules() if isinstance(m, nn.Embedding)}
    cut = splits.cuts(module)
    found = [
        (p, p.numel() * (cut[name].process.tensor if name in cut else 1))
        for name, p in module.named_parameters()
        if id(p) not in tables
    ]
    trained = sum(size for p, size in found if p.requires_grad)
    return 2.0 * sum(size for _, size in found) + 4.0 * trained
