"""Plain text: one sentence a line, a blank line between documents."""

from __future__ import annotations

from collections.abc import Iterator

from graft_worker.data import lines
from graft_worker.data.formats.options import Options
from graft_worker.data.rows import Row
from graft_worker.data.sources import Source


def read(source: Source, options: Options) -> Iterator[Row]:
    """Rows with `text` and `document`, the document's number in the file from 0."""
    document, begun = 0, False
    for number, line in lines.read(source, options.report):
        if not line or line.isspace():
            document, begun = document + begun, False
            continue
        begun = True
        yield Row({"text": line, "document": document}, source.name, number)
