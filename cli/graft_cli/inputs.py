"""What `predict` and `evaluate` read: an artefact, and a file of rows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from graft_api.errors import ConfigError

if TYPE_CHECKING:
    from graft_worker.run.predict import Reading

FORMATS = ("auto", "tsv", "csv", "jsonl", "parquet", "text")


def add_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """The arguments that say what is read; `required`: there has to be an input."""
    parser.add_argument("artefact", metavar="ARTEFACT", help="folder of a published model")
    parser.add_argument(
        "--input",
        required=required,
        metavar="FILE",
        help="file, folder, glob or URI of the rows",
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="auto", help="form of the input (default: auto)"
    )
    parser.add_argument(
        "--map",
        type=listed,
        default=(),
        metavar="ROLE=COLUMN",
        help="columns of the input that are named unlike those of the training data",
    )
    parser.add_argument(
        "--schema", default="", metavar="SCHEMA", help="columns of a file without header"
    )


def listed(text: str) -> tuple[str, ...]:
    """The words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def artefact(text: str) -> Path:
    """The artefact's folder, from a path or a file:// URI.

    Raises:
        ConfigError: there is no such folder.
    """
    path = Path(text.removeprefix("file://")).expanduser()
    if path.is_dir():
        return path
    raise ConfigError(
        f"{text}: no such folder",
        hint="name an artefact: the status of a complete job says its uri",
    )


def reading(arguments: argparse.Namespace) -> Reading:
    """How the input is read.

    Raises:
        ConfigError: `--map` is malformed.
    """
    from graft_worker.run.predict import Reading

    pairs = [pair.partition("=") for pair in arguments.map]
    for role, equals, column in pairs:
        if not (role and equals and column):
            hint = "for example --map text=review,label=stars"
            raise ConfigError(f"--map {role}{equals}{column}: expected role=column", hint=hint)
    columns = {role: column for role, _, column in pairs}
    return Reading(format=arguments.format, columns=columns, schema=arguments.schema)
