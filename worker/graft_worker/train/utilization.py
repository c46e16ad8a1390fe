"""How much of what the device could compute the training uses (model FLOPs utilisation)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from graft_worker.distributed import splits

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


def share(run: Run, tokens_per_second: float) -> float | None:
    """The share of the peak of all devices, or None where that is not known."""
    process = run.work.process
    most = peak(process.device, run.precision.name)
    if most is None or not tokens_per_second:
        return None
    return tokens_per_second * flops_per_token(run.work.task.module) / (most * process.world)


def peak(device: torch.device, precision: str) -> float | None:
    """FLOP/s of the device in that precision, or None where they are not known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    found = next((peaks for part, peaks in PEAKS.items() if part in name), {})
    return found.get(precision)


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
