"""Milliseconds of what a GPU does, by its own clock."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from typing import Any

import torch

WARM, LAPS = 3, 10


def milliseconds(work: Callable[[], object]) -> float:
    """The median of ten laps after three that warm up."""
    for _ in range(WARM):
        work()
    marks: list[Any] = [torch.cuda.Event(enable_timing=True) for _ in range(LAPS + 1)]  # type: ignore[no-untyped-call]
    marks[0].record()
    for mark in marks[1:]:
        work()
        mark.record()
    torch.cuda.synchronize()
    return float(statistics.median(a.elapsed_time(b) for a, b in itertools.pairwise(marks)))


def peak_gib(work: Callable[[], object]) -> float:
    """GiB that a lap needs above what is there before it."""
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    work()
    torch.cuda.synchronize()
    return float(torch.cuda.max_memory_allocated() - before) / 2**30
