"""What the machine can do at most, measured in the same race, and the work that is useful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options

GEMM = (2048, 768, 3072)  # rows, inner, columns: the shape of performance.md's ceiling
CUBE = (8192, 8192, 8192)  # the same of a GPU
COPY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of an encoder that decide its arithmetic."""

    layers: int
    hidden: int
    intermediate: int


def training_flops(shape: Shape, *, tokens: float, attended: float) -> float:
    """Useful FLOPs to train on one text of so many tokens (performance.md section 4).

    Forward times three, a multiply-add is two, no recompute; `attended` is the mean number of
    tokens that a token attends to. Look-ups, norms and the head on one position count nothing.
    """
    weights = shape.layers * (4 * shape.hidden**2 + 2 * shape.hidden * shape.intermediate)
    return tokens * (6 * weights + 12 * shape.layers * shape.hidden * attended)


def head_flops(shape: Shape, vocabulary: int, *, embedding: int = 0) -> float:
    """FLOPs to train the head on one token that is to be named: dense, then every id.

    `embedding` is the width of the embeddings where that is not the model's.
    """
    return 6 * (embedding or shape.hidden) * (shape.hidden + vocabulary)


def gemm(options: Options, baton: Baton) -> None:
    """Laps of one matrix product in the precision that the race runs in."""
    import torch

    torch.set_num_threads(options["threads"])
    on = "cuda" if torch.cuda.is_available() else "cpu"
    rows, inner, columns = CUBE if on == "cuda" else GEMM
    like = {"dtype": getattr(torch, options["dtype"]), "device": on}
    x, w = torch.randn(rows, inner, **like), torch.randn(columns, inner, **like)
    out = torch.empty(rows, columns, **like)
    baton.begin()
    while True:
        torch.mm(x, w.t(), out=out)
        baton.lap(flops=2 * rows * inner * columns)


def copy(options: Options, baton: Baton) -> None:
    """Laps of one copy between two arrays larger than the caches, in bytes copied."""
    import torch

    torch.set_num_threads(options["threads"])
    x = torch.zeros(COPY_BYTES, dtype=torch.uint8)
    y = torch.empty_like(x)
    baton.begin()
    while True:
        y.copy_(x)
        baton.lap(bytes=COPY_BYTES)


def probe_precision(_options: Options, _baton: Baton) -> dict[str, str]:
    """`bfloat16` where this processor multiplies in it faster than in `float32`."""
    import time

    import torch

    if torch.cuda.is_available():
        return {"dtype": "bfloat16"}

    def seconds(dtype: torch.dtype) -> float:
        x, w = torch.randn(512, 768, dtype=dtype), torch.randn(768, 3072, dtype=dtype)
        laps = []
        for _ in range(7):
            begin = time.perf_counter()
            torch.mm(x, w)
            laps.append(time.perf_counter() - begin)
        return min(laps)

    faster = seconds(torch.bfloat16) < seconds(torch.float32)
    return {"dtype": "bfloat16" if faster else "float32"}
