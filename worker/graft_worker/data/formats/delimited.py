"""CSV and TSV: rows of cells under a header, a schema, or numbered columns.

CSV follows RFC 4180: cells with commas, quotes or line ends stand in double quotes, a quote within
is doubled. In TSV a quote is an ordinary character, because texts are full of them and EasyTransfer
writes none; the exception is a file that is quoted throughout: every cell in its beginning that
opens with a quote is a whole quoted cell, and either one column is quoted in all rows or some cell
holds a doubled quote, which only a writer that quotes makes.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from graft_api.errors import DataError
from graft_worker.data import lines, schema
from graft_worker.data.faults import Fault
from graft_worker.data.formats.options import Options
from graft_worker.data.rows import Row
from graft_worker.data.sources import Source

Record = tuple[int, list[str]]  # number of its first line, cells

_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def read_csv(source: Source, options: Options) -> Iterator[Row]:
    """Rows of a comma separated file."""
    return _rows(source, _quoted_records(source, options, ","), options)


def read_tsv(source: Source, options: Options) -> Iterator[Row]:
    """Rows of a tab separated file; see the top of the file for quotes."""
    quoted = quoted_throughout(lines.head(source).decode("utf-8", "replace"))
    records = _quoted_records(source, options, "\t") if quoted else _plain_records(source, options)
    return _rows(source, records, options)


def quoted_throughout(head: str) -> bool:
    """Whether a TSV that begins so is quoted."""
    rows = [line.split("\t") for line in head.splitlines()[:1000] if line]
    opened = [cell for row in rows for cell in row if cell.startswith('"')]
    if not opened or not all(_QUOTED.fullmatch(cell) for cell in opened):
        return False
    columns = zip(*rows[1:], strict=False)
    whole = len(rows) > 2 and any(all(cell[:1] == '"' for cell in column) for column in columns)
    return whole or any('""' in cell[1:-1] for cell in opened)


def _plain_records(source: Source, options: Options) -> Iterator[Record]:
    for number, line in lines.read(source, options.report):
        if line:
            yield number, line.split("\t")


def _quoted_records(source: Source, options: Options, delimiter: str) -> Iterator[Record]:
    csv.field_size_limit(lines.LINE_LIMIT)
    numbers: list[int] = []  # of the physical lines that the open record has taken

    def feed() -> Iterator[str]:
        for number, line in lines.read(source, options.report):
            numbers.append(number)
            yield line + "\n"

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    while True:
        numbers.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _quoting(source, numbers, error, options)
            continue
        if cells:
            yield numbers[0], cells


def _quoting(source: Source, numbers: Sequence[int], error: csv.Error, options: Options) -> None:
    text = str(error)
    if "unexpected end of data" in text or "field limit" in text:
        raise DataError(
            f"{source.name}:{numbers[0]}: a quote is opened in this row and never closed",
            hint='close it, or double it where it belongs to the text: ""',
        )
    options.report(Fault(source.name, numbers[0], "quotes out of place", text))


def _rows(source: Source, records: Iterator[Record], options: Options) -> Iterator[Row]:
    first = next(records, None)
    if first is None:
        return
    number, cells = first
    names, consumed = _names(source, number, cells, options)
    if not consumed:
        yield from _row(source, first, names, options)
    for record in records:
        yield from _row(source, record, names, options)


def _names(
    source: Source, number: int, cells: list[str], options: Options
) -> tuple[list[str], bool]:
    """The columns' names, and whether the first record was the header."""
    if options.schema:
        names = [field.name for field in options.schema]
        return names, [cell.strip().lower() for cell in cells] == [n.lower() for n in names]
    if options.numbered:
        return [str(i) for i in range(len(cells))], False
    names = [cell.strip() for cell in cells]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        where = f"{source.name}:{number}"
        what = f"column {twice[0]!r} stands twice" if twice[0] else "a column has no name"
        raise DataError(
            f"{where}: {what} in the header: {shown(names)}",
            hint='name every column once; for a file without header give schema: "label:str:1,…"',
        )
    return names, True


def _row(source: Source, record: Record, names: list[str], options: Options) -> Iterator[Row]:
    number, cells = record
    if len(cells) != len(names):
        detail = f"expected {len(names)}: {shown(names)}; found {len(cells)}: {shown(cells)}"
        options.report(Fault(source.name, number, "wrong number of columns", detail))
        return
    if not options.schema:
        yield Row(dict(zip(names, cells, strict=True)), source.name, number)
        return
    values: dict[str, Any] = {}
    for field, cell in zip(options.schema, cells, strict=True):
        try:
            values[field.name] = schema.convert(field, cell)
        except ValueError as error:
            what = f"column {field.name}: not as in the schema"
            options.report(Fault(source.name, number, what, str(error)))
            return
    yield Row(values, source.name, number)


def shown(cells: Sequence[str]) -> str:
    """Names or cells for a message: eight at most, each cut short."""
    listed = ", ".join(cell if len(cell) <= 24 else cell[:24] + "…" for cell in cells[:8])
    return listed + (f" and {len(cells) - 8:,} more" if len(cells) > 8 else "")
