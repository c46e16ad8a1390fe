"""G8: the head that names hidden tokens, forward and backward, dense and at these alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (torch's own name for it)

from benchmarks import figures
from benchmarks.figures import Figures
from benchmarks.gpu.timing import milliseconds, peak_gib
from benchmarks.settings import Settings

TOKENS, SHARE = 32_768, 0.15
VOCABULARY = 30_522
HIDDEN = (768, 1024)


def run(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of the row."""
    del folder
    cases = {}
    for hidden in HIDDEN:
        for name, work in _variants(hidden).items():
            found = {"milliseconds": milliseconds(work), "GiB": peak_gib(work)}
            cases[f"{name}, {hidden} wide"] = found
    notes = (
        f"{TOKENS:,} tokens, {SHARE:.0%} of them hidden, {VOCABULARY:,} ids, bf16 with fp32 losses;"
        " dense is what BertForMaskedLM does. Graft does *at hidden tokens*.",
    )
    table = Figures(unit="milliseconds and GiB", cases=cases, notes=notes)
    return figures.row(row, "the head of masked words", table, settings)


def _variants(hidden: int) -> Mapping[str, Callable[[], None]]:
    torch.manual_seed(0)
    states = torch.randn(TOKENS, hidden, device="cuda", dtype=torch.bfloat16).requires_grad_()
    table = torch.randn(VOCABULARY, hidden, device="cuda", dtype=torch.bfloat16)
    table = (table * 0.02).requires_grad_()
    answers = torch.randint(VOCABULARY, (TOKENS,), device="cuda")
    slots = torch.arange(TOKENS, device="cuda")[torch.rand(TOKENS, device="cuda") < SHARE]
    kept = torch.full_like(answers, -100).index_copy(0, slots, answers[slots])

    def dense() -> Tensor:
        return F.cross_entropy((states @ table.t()).float(), kept)

    def sparse() -> Tensor:
        found = states.index_select(0, slots) @ table.t()
        return F.cross_entropy(found.float(), answers.index_select(0, slots))

    made = {"dense": dense, "at hidden tokens": sparse}
    if fused := getattr(F, "linear_cross_entropy", None):

        def picked() -> Tensor:
            chosen = (x.index_select(0, slots) for x in (states, answers))
            loss: Tensor = fused(next(chosen), table, next(chosen))
            return loss

        made["at hidden tokens, fused loss"] = picked
    return {name: _both(loss, (states, table)) for name, loss in made.items()}


def _both(loss: Callable[[], Tensor], inputs: tuple[Tensor, ...]) -> Callable[[], None]:
    def work() -> None:
        torch.autograd.grad(loss(), inputs)

    return work
