"""Predictions of a published model for the rows of a file, in the file's order."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from graft_api.errors import ConfigError, DataError
from graft_worker.data import reading, sources
from graft_worker.data.rows import Role, Row
from graft_worker.data.selections import Selection
from graft_worker.export.artefact import Artefact
from graft_worker.run import inference, tables
from graft_worker.run.inference import Model, Precision
from graft_worker.run.tables import Formulas

OUTPUTS = ("predictions", "probabilities", "logits")
VECTOR = "vector"  # what the head reads; long, so only where it is asked for
KNOWN = (*OUTPUTS, VECTOR)
_CHUNK = 2048  # rows in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the input is read: as `data.<split>` of a job. `columns` go before the trained ones."""

    format: str = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)  # role -> column
    schema: str = ""


PLAIN = Reading()


def predict(  # noqa: PLR0913  (each is an argument of `graft predict`)
    artefact: Path,
    inputs: str,
    output: Path,
    *,
    columns: Sequence[str] = OUTPUTS,
    append: Sequence[str] = (),
    read: Reading = PLAIN,
    formulas: Formulas = "keep",
    precision: Precision = "fp32",
) -> int:
    """The number of rows written to `output`: one per input row, in the same order.

    Each has the input columns named by `append`, then the outputs named by `columns`
    (algorithms.md G2). The format is that of the extension: .tsv, .csv or .jsonl. The input is
    read in pieces, so that memory does not grow with it. The file appears only when all is done.

    Raises:
        StoreError: the artefact is damaged, or the output cannot be written.
        ConfigError: an output is unknown or the input itself, or this version does not have the
            artefact's app.
        DataError: the input cannot be read or lacks a column.
    """
    _check(columns, append)
    _check_apart(inputs, output)
    tables.check(output)
    model = inference.open_model(artefact, precision=precision)
    roles = [role for role in model.app.roles() if role.kind == "text"]
    pairs = reading.by_role(selection(model.artefact, inputs, read, roles), roles)
    written = 0
    with tables.writing(output, (*append, *columns), formulas=formulas) as write:
        for row in _answers(model, pairs, append, columns):
            write(row)
            written += 1
    return written


def _check_apart(inputs: str, output: Path) -> None:
    if not output.exists():
        return
    files = [Path(source.uri) for source in sources.resolve(Selection(uris=(inputs,)))]
    if any(file.exists() and file.samefile(output) for file in files):
        raise ConfigError(
            f"--output {output}: is the input",
            hint="name another file: nothing that was saved is overwritten by its own answers",
        )


def selection(artefact: Artefact, inputs: str, read: Reading, roles: Sequence[Role]) -> Selection:
    """What is read: the columns given, else those of the training file."""
    names = {role.name for role in roles}
    trained = {role: column for role, column in artefact.columns.items() if role in names}
    mapped = {**trained, **read.columns}
    return Selection(
        uris=(inputs,), format=read.format, columns=tuple(mapped.items()), schema=read.schema
    )


def _answers(
    model: Model,
    pairs: Iterator[tuple[Row, Row]],
    append: Sequence[str],
    columns: Sequence[str],
) -> Iterator[Mapping[str, Any]]:
    while chunk := list(islice(pairs, _CHUNK)):
        copied = [_copied(raw, append) for _, raw in chunk]
        logits, vectors = inference.answers(model, [row for row, _ in chunk])
        found = model.app.predictions(logits)
        told = vectors.tolist() if VECTOR in columns else [()] * len(chunk)
        for kept, answer, vector in zip(copied, found, told, strict=True):
            yield {**kept, **answer, VECTOR: vector}


def _copied(row: Row, append: Sequence[str]) -> dict[str, Any]:
    for name in append:
        if name not in row.values:
            near = difflib.get_close_matches(name, list(row.values), n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise DataError(
                f"{row.file}:{row.line}: no column {name} to append",
                hint=f"{hint}the columns are {', '.join(row.values)}",
            )
    return {name: row.values[name] for name in append}


def _check(columns: Sequence[str], append: Sequence[str]) -> None:
    for name in columns:
        if name not in KNOWN:
            near = difflib.get_close_matches(name, KNOWN, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(
                f"output column {name}: unknown", hint=f"{hint}there are {', '.join(KNOWN)}"
            )
    names = [*append, *columns]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"column {name}: asked for twice", hint="leave one of them out")
