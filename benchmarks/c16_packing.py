"""C16: rows that hold several texts give the loss and the gradient of padded ones. A count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import figures, race
from benchmarks.c1_mlm import Text
from benchmarks.figures import Figures
from benchmarks.settings import Settings

CALL = "benchmarks.ours_packing:differences"
MOST = {"fp32": 1e-6, "bf16": 1e-2}


def run(row: str, text: Text, settings: Settings) -> Mapping[str, Any]:
    """The result of the row: relative differences of loss and gradient norm by number format."""
    options = text.options("count", threads=1, seed=settings.seeds[0])
    with race.Stable(Path(text.corpus.folder)) as stable:
        told = stable.runner("ours", threads=1).through(CALL, options)
    slots = (f"{number:,} {name}" for name, number in told["slots"].items())
    found = Figures(
        unit="relative differences",
        cases=told["differences"],
        notes=(f"{told['texts']} texts of {told['tokens']:,} tokens; slots: {', '.join(slots)}.",),
        faults=tuple(_faults(told["differences"])),
    )
    title = f"packed beside padded rows, lines of {text.corpus.name}"
    return figures.row(row, title, found, settings)


def _faults(differences: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for precision, of_one in differences.items():
        for what, difference in of_one.items():
            if not difference <= MOST[precision]:
                yield (
                    f"{precision}: the {what} differs by {difference:.1e},"
                    f" at most {MOST[precision]:.0e} is allowed"
                )
