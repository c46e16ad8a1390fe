"""Turns a published model into an ONNX graph for `graft serve`, and refuses what it would spoil."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from graft_api.errors import ConfigError
from graft_cli import inputs, screen

if TYPE_CHECKING:
    from graft_worker.run.convert import Converted

EXAMPLE = """\
examples:
  graft export graft-store/artefacts/sha256-... --output reviews-onnx
  graft export ARTEFACT --precision int8 --input dev.tsv --output reviews-int8
  graft serve reviews-int8

int8 is measured on the rows of --input; half a point of the metric lost, and nothing is written.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft export`."""
    inputs.add_arguments(parser, required=False)
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="new folder to write"
    )
    parser.add_argument(
        "--precision", choices=("fp32", "int8"), default="fp32", help="of the graph (default: fp32)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Exports, and says what it costs."""
    reading = inputs.reading(arguments)
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"graft export needs {error.name}, which is not installed",
            hint="pip install 'graft-operator[onnx]'",
        ) from None
    from graft_worker.run.convert import convert

    made = convert(
        inputs.artefact(arguments.artefact),
        arguments.output,
        precision=arguments.precision,
        inputs=arguments.input or "",
        read=reading,
    )
    screen.say(f"graft: wrote {made.folder}{_cost(made)}; next:\n  graft serve {made.folder}")
    return 0


def _cost(made: Converted) -> str:
    if made.exact is None or made.found is None:
        return f" ({made.precision}, golden logits differ by {made.difference:.1g})"
    return f" ({made.precision}, {made.metric} {made.found:.4f}, in fp32 by torch {made.exact:.4f})"
