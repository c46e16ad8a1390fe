"""Lists the names that `model.from.zoo` takes, with their sizes and where the weights come from.

folder and package are here already; hub is fetched at the first use; unavailable needs a folder
of yours in GRAFT_ZOO.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from graft_api.vocabulary import Env
from graft_cli import output

if TYPE_CHECKING:
    from graft_worker.models.zoo import Listed

EXAMPLE = """\
examples:
  graft models
  GRAFT_ZOO=/models graft models -o json
"""
HEAD = ("NAME", "FAMILY", "LAYERS", "HIDDEN", "HEADS", "FROM", "WHERE")
ALIGN = ("<", "<", ">", ">", ">", "<", "<")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft models`."""
    output.add_argument(parser, default="table", forms=("table", "yaml", "json"))


def run(arguments: argparse.Namespace) -> int:
    """Prints the zoo."""
    from graft_worker.models import zoo

    folder = os.environ.get(Env.ZOO)
    found = zoo.entries(zoo=Path(folder) if folder else None)
    if arguments.output == "table":
        sys.stdout.write("".join(f"{line}\n" for line in table(found)))
    else:
        output.write([asdict(model) for model in found], form=arguments.output)
    return 0


def table(models: Sequence[Listed]) -> list[str]:
    """The models in aligned columns, below a head."""
    rows = [HEAD, *(tuple(str(value) for value in asdict(m).values()) for m in models)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = zip(row, ALIGN, widths, strict=True)
    return "  ".join(f"{cell:{align}{width}}" for cell, align, width in cells).rstrip()
