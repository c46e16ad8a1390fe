"""SQuAD: paragraphs with questions, as the published JSON document or one paragraph per line."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Mapping
from typing import Any

from graft_api.errors import DataError
from graft_worker.data import lines
from graft_worker.data.faults import Fault
from graft_worker.data.formats import jsonl
from graft_worker.data.formats.options import Options
from graft_worker.data.rows import Row
from graft_worker.data.sources import Source

_ARTICLE_LIMIT = 1 << 26  # characters of one article
_CHUNK = 1 << 18


def read(source: Source, options: Options) -> Iterator[Row]:
    """One row per question.

    Columns: id, title, context, question, answer, char_start, answers, is_impossible.
    `answer` is the first answer's text, `char_start` its place in the context in characters;
    "" and -1 where the question has no answer. `answers` keeps all of them.
    """
    if is_document(lines.head(source)):
        for number, article in _articles(source):
            for paragraph in article.get("paragraphs", ()):
                merged = {"title": article.get("title", ""), **paragraph}
                yield from _questions(source, number, merged, options)
        return
    for row in jsonl.read(source, options):
        yield from _questions(source, row.line, row.values, options)


def is_document(head: bytes) -> bool:
    """Whether a file that begins so is the published document, not JSON Lines."""
    return b'"paragraphs"' in head


def _questions(
    source: Source, number: int, paragraph: Mapping[str, Any], options: Options
) -> Iterator[Row]:
    context, questions = paragraph.get("context"), paragraph.get("qas")
    if not isinstance(context, str) or not isinstance(questions, list):
        what = "no SQuAD paragraph"
        options.report(Fault(source.name, number, what, "expected the keys context and qas"))
        return
    for question in questions:
        values = _values(paragraph, context, question)
        if isinstance(values, str):
            options.report(Fault(source.name, number, "bad question", values))
        else:
            yield Row(values, source.name, number)


def _values(paragraph: Mapping[str, Any], context: str, question: Any) -> dict[str, Any] | str:
    """The values of a row, or what is wrong with the question."""
    try:
        answers = [(str(a["text"]), int(a["answer_start"])) for a in question.get("answers", ())]
        asked = str(question["question"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"expected question and answers of text and answer_start, missing {error}"
    for text, start in answers:
        if context[start : start + len(text)] != text:
            return f"answer {text[:40]!r} does not stand at character {start} of the context"
    text, start = answers[0] if answers else ("", -1)
    return {
        "id": str(question.get("id", "")),
        "title": str(paragraph.get("title", "")),
        "context": context,
        "question": asked,
        "answer": text,
        "char_start": start,
        "answers": [{"text": t, "answer_start": s} for t, s in answers],
        "is_impossible": bool(question.get("is_impossible", not answers)),
    }


def _articles(source: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    """The articles of the list `data` with the line each begins in, one in memory at a time."""
    rest = _Rest(source)
    while (start := _into_list(rest.text)) < 0:
        if not rest.more():
            raise DataError(f'{source.name}: no SQuAD document: the list "data" is missing')
    rest.skip(start)
    while True:
        rest.skip(len(rest.text) - len(rest.text.lstrip(" \t\r\n,")))
        if rest.text.startswith("]"):
            return
        try:
            article, end = json.JSONDecoder().raw_decode(rest.text)
        except json.JSONDecodeError as error:
            if len(rest.text) > _ARTICLE_LIMIT or not rest.more():
                at = rest.line + error.lineno - 1
                raise DataError(f"{source.name}:{at}: not JSON: {error.msg}") from None
            continue
        yield rest.line, article if isinstance(article, dict) else {}
        rest.skip(end)


class _Rest:
    """What of a document is read and not yet used; grows by doubling, so parsing stays linear."""

    __slots__ = ("_decode", "_name", "_pieces", "line", "text")

    def __init__(self, source: Source) -> None:
        self.text, self.line, self._name = "", 1, source.name
        self._pieces = _pieces(source)
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()

    def more(self) -> bool:
        """Reads on, at least as much as is there; False at the end of the file."""
        before, wanted = len(self.text), max(2 * len(self.text), 1)
        while len(self.text) < wanted and (piece := next(self._pieces, b"")):
            try:
                self.text += self._decode.decode(piece)
            except UnicodeDecodeError as error:
                where = f"{self._name}: not UTF-8 after line {self.line}"
                raise DataError(f"{where}: {error}") from None
        return len(self.text) > before

    def skip(self, size: int) -> None:
        """Drops the beginning."""
        self.line += self.text.count("\n", 0, size)
        self.text = self.text[size:]


def _pieces(source: Source) -> Iterator[bytes]:
    with source.open() as stream:
        while piece := lines.chunk(source, stream, _CHUNK):
            yield piece


def _into_list(text: str) -> int:
    """The place after the bracket that opens the list `data`; -1 where it has not come yet."""
    name = text.find('"data"')
    bracket = text.find("[", name) if name >= 0 else -1
    return bracket + 1 or -1
