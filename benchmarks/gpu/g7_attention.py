"""G7: attention over texts packed into rows, forward and backward, by four kernels.

Useful work is that of the texts alone: 4 L^2 D per text and head forward, 2.5 times that backward.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (torch's own name for it)

from benchmarks import figures
from benchmarks.figures import Figures
from benchmarks.gpu.timing import milliseconds
from benchmarks.settings import Settings
from graft_worker.data.packing import packed
from graft_worker.models.attention import Runs, attend

HEADS, DEPTH = 12, 64
HIDDEN = HEADS * DEPTH
TOKENS = 65_536
LONGEST = (128, 256, 512, 1024)
DTYPE = torch.bfloat16

Kernel = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts in rows, and the slots of each."""

    runs: Runs
    segments: Tensor  # [R, W], 0 is padding
    flops: float


def run(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of the row."""
    del folder
    cases = {}
    for longest in LONGEST:
        texts = _texts(longest)
        shape = (*texts.segments.shape, HIDDEN)
        kernels = {"runs": _runs(texts), "mask": _mask(texts), "flex": _flex(texts)}
        found = {name: _rate(kernel, shape, texts.flops) for name, kernel in kernels.items()}
        cases[f"texts of {longest // 2} to {longest} tokens"] = {**found, **_whole(longest)}
    notes = (
        "runs: flash attention of sequences of any length; mask: one call with a mask of booleans;"
        " flex: compiled for a mask of blocks. What Graft takes is `runs`.",
        "flash, cudnn: rows that are one text each, without padding: what packing costs.",
    )
    found_all = Figures(unit="TFLOP/s, forward and backward", cases=cases, notes=notes)
    return figures.row(row, "attention over packed rows", found_all, settings)


def _texts(longest: int) -> Texts:
    draw = np.random.default_rng(0)
    lengths = draw.integers(longest // 2, longest + 1, TOKENS * 4 // (3 * longest))
    layout = packed(lengths, width=max(512, longest))
    segments = np.zeros(layout.rows * layout.width, np.int32)
    for row, start, number, size in zip(
        layout.row, layout.start, layout.segment, lengths, strict=True
    ):
        begin = row * layout.width + start
        segments[begin : begin + size] = number
    return Texts(
        runs=Runs(starts=torch.from_numpy(layout.runs(lengths)).cuda(), longest=longest),
        segments=torch.from_numpy(segments).view(layout.rows, layout.width).cuda(),
        flops=3.5 * 4 * HIDDEN * float(np.square(lengths.astype(float)).sum()),
    )


def _runs(texts: Texts) -> Kernel:
    return lambda q, k, v: attend(q, k, v, HEADS, texts.runs)


def _mask(texts: Texts) -> Kernel:
    of = texts.segments
    mask = of[:, None, :, None] == of[:, None, None, :]
    return lambda q, k, v: attend(q, k, v, HEADS, mask)


def _flex(texts: Texts) -> Kernel:
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    of, (rows, width) = texts.segments, texts.segments.shape

    def same(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:  # noqa: ARG001
        return of[b, q] == of[b, k]

    blocks = create_block_mask(same, rows, None, width, width, device="cuda")
    compiled: Any = torch.compile(flex_attention, dynamic=False)

    def kernel(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        out: Tensor = compiled(*(_headed(x) for x in (q, k, v)), block_mask=blocks)
        return out.transpose(1, 2).flatten(2)

    return kernel


def _headed(x: Tensor) -> Tensor:
    return x.view(*x.shape[:2], HEADS, DEPTH).transpose(1, 2)


def _whole(longest: int) -> Mapping[str, float | None]:
    """Rows of one text each, by the two kernels that know no mask."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    shape = (TOKENS // longest, longest, HIDDEN)
    flops = 3.5 * 4 * HIDDEN * TOKENS * longest

    def by(backend: SDPBackend) -> Kernel:
        def kernel(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            with sdpa_kernel(backend):
                out = F.scaled_dot_product_attention(_headed(q), _headed(k), _headed(v))
            return out.transpose(1, 2).flatten(2)

        return kernel

    flash, cudnn = SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION
    return {"flash": _rate(by(flash), shape, flops), "cudnn": _rate(by(cudnn), shape, flops)}


def _rate(kernel: Kernel, shape: tuple[int, ...], flops: float) -> float | None:
    """TFLOP/s; None where this machine has no such kernel."""
    inputs = [torch.randn(shape, device="cuda", dtype=DTYPE).requires_grad_() for _ in range(3)]
    slope = torch.randn(shape, device="cuda", dtype=DTYPE)

    def both() -> None:
        torch.autograd.grad(kernel(*inputs), inputs, slope)

    try:
        return flops / milliseconds(both) * 1e3 / 1e12
    except RuntimeError:
        return None
