"""Rows written as TSV, CSV or JSON Lines: beside the file asked for, then renamed."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

from graft_api.errors import ConfigError, StoreError

Formulas = Literal["keep", "quote"]
Write = Callable[[Mapping[str, Any]], None]

_DELIMITERS = {".tsv": "\t", ".csv": ","}
_STARTS = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for a formula's beginning


def check(output: Path) -> None:
    """Refuses a file that could not be written in the end, before any work is done for it.

    Raises:
        ConfigError: the extension is none of .tsv, .csv, .jsonl, or the folder is missing.
    """
    if output.suffix.lower() not in (*_DELIMITERS, ".jsonl"):
        raise ConfigError(f"{output}: the extension says the format: expected .tsv, .csv or .jsonl")
    if output.is_dir() or not output.parent.is_dir():
        shown = "is a folder" if output.is_dir() else f"there is no folder {output.parent}"
        raise ConfigError(f"{output}: {shown}", hint="name a file in a folder that exists")


@contextmanager
def writing(
    output: Path, columns: Sequence[str], *, formulas: Formulas = "keep"
) -> Iterator[Write]:
    """A function that writes one row; the file appears, or is replaced, when the block ends well.

    TSV and CSV begin with a header and follow RFC 4180; lists are joined by commas, or written as
    JSON where an item has one. With formulas "quote", text cells that a spreadsheet would run get
    a quote in front.

    Raises:
        StoreError: the file cannot be written; what stood there before is kept.
    """
    beside = output.with_name(f".{output.name}.partial")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            yield _writer(file, output.suffix.lower(), columns, formulas)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(output)
    except OSError as error:
        raise StoreError(
            f"{output}: cannot be written: {error.strerror or error}",
            hint="free space there, or name a file in another folder",
        ) from None
    finally:
        beside.unlink(missing_ok=True)


def _writer(file: IO[str], suffix: str, columns: Sequence[str], formulas: Formulas) -> Write:
    if suffix == ".jsonl":
        return lambda row: _line(file, {name: row[name] for name in columns})
    rows = csv.writer(file, delimiter=_DELIMITERS[suffix], lineterminator="\n")
    rows.writerow(columns)
    return lambda row: rows.writerow([_cell(row[name], formulas) for name in columns])


def _line(file: IO[str], row: Mapping[str, Any]) -> None:
    file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _cell(value: Any, formulas: Formulas) -> str:
    if isinstance(value, str):
        risky = formulas == "quote" and value.startswith(_STARTS)
        return f"'{value}" if risky else value
    if isinstance(value, list | tuple):
        items = [_cell(item, "keep") for item in value]
        plain = not any("," in item for item in items)
        return ",".join(items) if plain else json.dumps(items, ensure_ascii=False)
    return "" if value is None else str(value)
