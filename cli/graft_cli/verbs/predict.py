"""Writes the predictions of a published model: one row per input row, in the same order."""

from __future__ import annotations

import argparse
from pathlib import Path

from graft_cli import inputs, screen

EXAMPLE = """\
examples:
  graft predict graft-store/artefacts/sha256-... --input new.tsv --output predictions.tsv
  graft predict ARTEFACT --input new.jsonl --output out.csv --append id,text --columns predictions
"""
COLUMNS = ("predictions", "probabilities", "logits")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft predict`."""
    inputs.add_arguments(parser)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="file to write: .tsv, .csv or .jsonl; it appears when all rows are done",
    )
    parser.add_argument(
        "--append",
        type=inputs.listed,
        default=(),
        metavar="COLUMNS",
        help="columns of the input to copy, joined by commas",
    )
    parser.add_argument(
        "--columns",
        type=inputs.listed,
        default=COLUMNS,
        metavar="COLUMNS",
        help=f"what to write of {','.join(COLUMNS)},vector (default: all but vector)",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default="fp32",
        help="number format; auto is bf16 where it is clearly faster (default: fp32)",
    )
    parser.add_argument(
        "--formulas",
        choices=("keep", "quote"),
        default="keep",
        help="quote puts ' before cells that a spreadsheet would run (default: keep)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Predicts and says how many rows were written."""
    reading = inputs.reading(arguments)
    from graft_worker.run.predict import predict

    rows = predict(
        inputs.artefact(arguments.artefact),
        arguments.input,
        arguments.output,
        columns=arguments.columns,
        append=arguments.append,
        read=reading,
        formulas=arguments.formulas,
        precision=arguments.precision,
    )
    screen.say(f"graft: wrote {rows:,} rows to {arguments.output}")
    return 0
