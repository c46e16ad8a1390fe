"""Rows of a whole split: its files one after another, under the roles of an app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from graft_worker.data import columns as by_column
from graft_worker.data import schema, sources
from graft_worker.data.faults import Fault, refuse
from graft_worker.data.formats import table
from graft_worker.data.formats.options import Options
from graft_worker.data.lines import Report
from graft_worker.data.rows import Role, Row
from graft_worker.data.selections import Cut, Selection
from graft_worker.data.sources import Source

_PEEK = 100  # rows whose columns count as the file's
_SIDES = 4096  # rows decided at once


def read(selection: Selection, *, report: Report = refuse) -> Iterator[Row]:
    """Every row of every file, with the file's own columns; `cut` is not applied.

    Raises:
        DataError: a file is missing or cannot be read; also each bad row unless `report` is given.
    """
    for source in sources.resolve(selection):
        yield from read_file(source, selection, report=report)


def read_file(source: Source, selection: Selection, *, report: Report = refuse) -> Iterator[Row]:
    """Every row of one file of the selection."""
    mapped = [column for _, column in selection.columns]
    options = Options(
        schema=schema.parse(selection.schema) if selection.schema else (),
        numbered=bool(mapped) and all(column.isdecimal() for column in mapped),
        report=report,
    )
    read_format = table.reader(selection.format, source, schema=bool(selection.schema))
    return read_format(source, options)


def by_role(
    selection: Selection, roles: Sequence[Role], *, report: Report = refuse
) -> Iterator[tuple[Row, Row]]:
    """Each row twice: its values by role (texts as str, targets as found), and as the file has it.

    Raises:
        DataError: as `read`, and where a required column is missing in a file.
    """
    for source in sources.resolve(selection):
        rows = read_file(source, selection, report=report)
        head = list(islice(rows, _PEEK))
        if not head:
            continue
        found = list(dict.fromkeys(chain.from_iterable(row.values for row in head)))
        columns = by_column.resolve(found, roles, dict(selection.columns), file=source.name)
        for row in chain(head, rows):
            values = {role.name: _value(row, columns, role, report) for role in roles}
            yield Row(values, row.file, row.line), row


def columns_of(source: Source, selection: Selection) -> tuple[str, ...]:
    """The columns of a file: the keys of its first hundred rows."""
    head = islice(read_file(source, selection, report=lambda _: None), _PEEK)
    return tuple(dict.fromkeys(chain.from_iterable(row.values for row in head)))


def _value(row: Row, columns: Mapping[str, str], role: Role, report: Report) -> Any:
    column = columns.get(role.name)
    value = row.values.get(column) if column is not None else None
    if role.kind != "text":
        return value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int | float):
        return str(value)
    detail = f"found {type(value).__name__}"
    report(Fault(row.file, row.line, f"column {column}: a text is expected", detail))
    return ""


def sides(rows: Iterator[tuple[Row, Row]], cut: Cut, total: int) -> Iterator[tuple[Row, Row]]:
    """Those of `total` rows that are on one side of a cut, in their order."""
    numbers = (np.arange(at, min(at + _SIDES, total)) for at in range(0, total, _SIDES))
    mine = chain.from_iterable(cut.takes(some, total) for some in numbers)
    yield from (row for row, taken in zip(rows, mine, strict=False) if taken)


def count(selection: Selection) -> int:
    """The number of rows that can be read; bad ones are left out as `by_role` leaves them out."""
    return sum(1 for _ in read(selection, report=lambda _: None))


def taken(
    selection: Selection, roles: Sequence[Role], *, report: Report = refuse
) -> Iterator[tuple[Row, Row]]:
    """As `by_role`, but only the rows that the selection's cut takes."""
    rows = by_role(selection, roles, report=report)
    return sides(rows, selection.cut, count(selection)) if selection.cut else rows
