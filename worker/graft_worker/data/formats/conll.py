"""CoNLL: a token and its tag per line, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Iterator

from graft_worker.data import lines
from graft_worker.data.faults import Fault
from graft_worker.data.formats.options import Options
from graft_worker.data.rows import Row
from graft_worker.data.sources import Source

_SENTENCE_LIMIT = 100_000  # tokens: a file without blank lines is no CoNLL


def read(source: Source, options: Options) -> Iterator[Row]:
    """One row per sentence: `tokens`, `tags` (lists of equal length) and `text`, tokens joined.

    Columns are separated by tabs, or by spaces where the file has no tab; the first is the token,
    the last its tag. `-DOCSTART-` lines are skipped.
    """
    tokens: list[str] = []
    tags: list[str] = []
    start = 0
    for number, line in lines.read(source, options.report):
        if line.isspace() or not line:
            yield from _sentence(source, start, tokens, tags)
            tokens, tags = [], []
        elif not line.startswith("-DOCSTART-"):
            cells = line.split("\t") if "\t" in line else line.split()
            start = start if tokens else number
            if _usable(source, number, cells, len(tokens), options):
                tokens.append(cells[0])
                tags.append(cells[-1])
    yield from _sentence(source, start, tokens, tags)


def _usable(source: Source, number: int, cells: list[str], size: int, options: Options) -> bool:
    if size >= _SENTENCE_LIMIT:
        what = f"a sentence of over {_SENTENCE_LIMIT:,} tokens"
        options.report(Fault(source.name, number, what, "are the blank lines missing?"))
        return False
    if len(cells) < 2 or not cells[0].strip() or not cells[-1].strip():
        detail = f"expected a token and a tag, found {len(cells)} columns"
        options.report(Fault(source.name, number, "token without a tag", detail))
        return False
    return True


def _sentence(source: Source, start: int, tokens: list[str], tags: list[str]) -> Iterator[Row]:
    if tokens:
        values = {"tokens": tokens, "tags": tags, "text": " ".join(tokens)}
        yield Row(values, source.name, start)
