"""One pass of a module over rows, shared by all processes; the same to the bit whoever does it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from graft_worker.data import batches
from graft_worker.data.shards import Shards
from graft_worker.distributed.process import Process

TOKENS = 8192  # slots of a batch

Values = NDArray[np.float32]  # [N, ...]
_Part = tuple[NDArray[np.int64], Values]  # places among the rows, and their values


def passed(module: nn.Module, shards: Shards, rows: NDArray[np.int64], process: Process) -> Values:
    """What the module gives for each of the rows, in their order, in fp32; empty off rank 0.

    Batches are cut without regard to the number of processes and dealt out whole.
    """
    parts = process.gather(_share(module, shards, rows, process))
    return _joined([part for of_rank in parts for part in of_rank])


def _share(
    module: nn.Module, shards: Shards, rows: NDArray[np.int64], process: Process
) -> list[_Part]:
    groups = batches.dealt(shards.lengths[rows], tokens=TOKENS, world=1)
    parts = []
    with torch.inference_mode():
        for group in groups[process.rank :: process.world]:
            batch = batches.collate(shards, rows[group], keys=None, width=0, packing=False)
            parts.append((group, module(batch.to(process.device)).float().cpu().numpy()))
    return parts


def _joined(parts: list[_Part]) -> Values:
    if not parts:
        return np.empty(0, np.float32)
    places = np.concatenate([places for places, _ in parts])
    values: Values = np.concatenate([values for _, values in parts])[np.argsort(places)]
    return values
