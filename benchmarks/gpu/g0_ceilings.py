"""G0: what the GPU can do at most: products of matrices in bf16 and fp8, and a copy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks import figures
from benchmarks.figures import Figures
from benchmarks.gpu.timing import milliseconds
from benchmarks.settings import Settings

TERA, GIGA = 1e12, 1e9
CUBE = 8192
TOKENS, ASKED = 32_768, 4_915  # of a batch; 15 % of them are named
SHAPES = {  # rows, inner, columns of the products in BERT's two sizes
    "base: query, key, value": (TOKENS, 768, 2304),
    "base: up": (TOKENS, 768, 3072),
    "base: down": (TOKENS, 3072, 768),
    "base: names of tokens": (ASKED, 768, 30_522),
    "large: up": (TOKENS, 1024, 4096),
    "large: names of tokens": (ASKED, 1024, 30_522),
}


def run(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of the row."""
    del folder
    cube = {"bf16": _product(CUBE, CUBE, CUBE), "fp8": _product8(CUBE, CUBE, CUBE)}
    cases = {f"product of {CUBE} cubed": cube}
    cases |= {n: {"bf16": _product(*s), "fp8": _product8(*s)} for n, s in SHAPES.items()}
    note = f"A copy moves {_copy():.2f} TB/s, bytes read and written."
    found = Figures(unit="TFLOP/s", cases=cases, notes=(note,))
    return figures.row(row, "ceilings of the GPU", found, settings)


def _product(rows: int, inner: int, columns: int) -> float:
    x = torch.randn(rows, inner, device="cuda", dtype=torch.bfloat16)
    w = torch.randn(columns, inner, device="cuda", dtype=torch.bfloat16)
    took = milliseconds(lambda: x @ w.t())
    return 2 * rows * inner * columns / took * 1e3 / TERA


def _product8(rows: int, inner: int, columns: int) -> float | None:
    """None where the shape is none that the kernel takes."""
    if columns % 16 or rows % 16:
        return None
    eight = torch.float8_e4m3fn
    x = torch.randn(rows, inner, device="cuda").to(eight)
    w = torch.randn(columns, inner, device="cuda").to(eight)
    one = torch.ones((), device="cuda")

    def multiplied() -> object:
        return torch._scaled_mm(x, w.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16)

    return 2 * rows * inner * columns / milliseconds(multiplied) * 1e3 / TERA


def _copy() -> float:
    x = torch.empty(2**31, dtype=torch.uint8, device="cuda")
    y = torch.empty_like(x)
    return 2 * x.nbytes / milliseconds(lambda: y.copy_(x)) * 1e3 / TERA
