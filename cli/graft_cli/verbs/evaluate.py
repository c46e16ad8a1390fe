"""Measures a published model on a file with labels and prints its metrics."""

from __future__ import annotations

import argparse

from graft_cli import inputs, output

EXAMPLE = """\
examples:
  graft evaluate graft-store/artefacts/sha256-... --input test.tsv
  graft evaluate ARTEFACT --input test.csv --map text=review,label=stars -o json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft evaluate`."""
    inputs.add_arguments(parser)
    output.add_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints the metrics."""
    reading = inputs.reading(arguments)
    from graft_worker.run.evaluate import evaluate

    found = evaluate(inputs.artefact(arguments.artefact), arguments.input, read=reading)
    output.write(found, form=arguments.output)
    return 0
