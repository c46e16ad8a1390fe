"""The student beside its teacher: how large, how fast, and how good on the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from graft_worker.data import batches
from graft_worker.data.shards import Shards

TEXTS = 16  # a base-sized teacher reads them in two seconds on one core
ROUNDS = 3  # after one that is not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A model in evaluation mode, and the split as its own tokenizer made it."""

    module: nn.Module
    shards: Shards


def size_ratio(teacher: nn.Module, student: nn.Module) -> float:
    """Parameters of the teacher for one of the student, embeddings included."""
    return _parameters(teacher) / _parameters(student)


def speed_ratio(
    teacher: Reader,
    student: Reader,
    *,
    device: torch.device,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """The teacher's time for the first texts of the split, divided by the student's.

    Both read in turns, so that what else the machine does hits both; the best round of each counts.
    """
    readings = [_reading(reader, device) for reader in (teacher, student)]
    for read in readings:
        read()
    rounds = [[_seconds(read, clock) for read in readings] for _ in range(ROUNDS)]
    slow, fast = (min(times[turn] for times in rounds) for turn in range(2))
    return slow / max(fast, 1e-9)


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _reading(reader: Reader, device: torch.device) -> Callable[[], None]:
    rows = np.arange(min(TEXTS, reader.shards.rows))
    batch = batches.collate(reader.shards, rows, keys=None, width=0, packing=False).to(device)
    module = reader.module.to(device).eval()

    def read() -> None:
        with torch.inference_mode():
            module(batch).float().cpu()  # waits for the device

    return read


def _seconds(read: Callable[[], None], clock: Callable[[], float]) -> float:
    began = clock()
    read()
    return clock() - began
