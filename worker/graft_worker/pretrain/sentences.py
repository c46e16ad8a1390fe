"""Sentences one after another into full sequences: `[CLS] words ... [SEP]`; runs without torch.

A sequence is full when the next word would not fit: it crosses the ends of sentences and of
documents, and tears no word that fits into a sequence by itself. Where pairs are made of sequences,
each keeps to one document, and to whole sentences as far as they fit.

T tokens, K sequences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from graft_api.errors import ConfigError
from graft_worker.data.blocks import Block, Blocks
from graft_worker.data.rows import Row
from graft_worker.models.special import special
from graft_worker.pretrain.words import Ids, Splitter, Starts

Kinds = NDArray[np.uint8]

STARTS = "starts"  # per token: 0 within a word, 1 where a word begins, 2 where a sentence does
WORD, SENTENCE = 1, 2
DOCUMENT = "document"  # per example: a number for each document, where sequences keep to one
FRAME = 2  # [CLS] and [SEP]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How rows become sequences. `text` and `document` are the roles to read."""

    max_length: int
    whole_word: bool
    text: str
    document: str = ""  # empty: sequences cross the ends of documents and of sentences
    frame: int = FRAME  # tokens that frame a sequence when the model reads it


def sequences(tokenizer: Tokenizer, form: Form) -> Blocks:
    """A function from the rows of a split to Blocks whose per-token column is `starts`.

    Where words are not kept together every token begins one. Where a document is read, a sequence
    holds whole sentences of one document, as far as they fit. The tokenizer given is not changed.

    Raises:
        ConfigError: no word would fit, or the tokenizer has no frame.
    """
    if form.max_length <= form.frame:
        raise ConfigError(
            f"spec.data.maxLength: {form.max_length}: too short,"
            f" expected at least {form.frame + 1}",
            hint=f"{form.frame} tokens are marks of the tokenizer",
        )
    marks = special(tokenizer)
    splitter = Splitter.of(tokenizer)
    split = splitter.split if form.whole_word else partial(_each_alone, splitter.tokenizer)
    room, unit = form.max_length - form.frame, SENTENCE if form.document else WORD

    def blocks(chunks: Iterator[Sequence[Row]]) -> Iterator[Block]:
        pile = _Pile(room=room, unit=unit, cls=marks.cls, sep=marks.sep)
        for rows in chunks:
            texts = split([str(row.values.get(form.text) or "") for row in rows])
            if made := list(_read(pile, form, zip(rows, texts, strict=True))):
                yield _joined(made)
        yield from pile.taken(final=True)

    return blocks


def _read(
    pile: _Pile, form: Form, rows: Iterable[tuple[Row, tuple[Ids, Starts]]]
) -> Iterator[Block]:
    for row, (ids, starts) in rows:
        if form.document and pile.document != (its := _document(row, form)):
            yield from pile.taken(final=True)
            pile.turn(its)
        pile.add(ids, starts)
    yield from pile.taken(final=False)


def _joined(blocks: list[Block]) -> Block:
    first = blocks[0]
    return Block(
        tokens=np.concatenate([b.tokens for b in blocks]),
        lengths=np.concatenate([b.lengths for b in blocks]),
        per_token={n: np.concatenate([b.per_token[n] for b in blocks]) for n in first.per_token},
        per_example={
            n: np.concatenate([b.per_example[n] for b in blocks]) for n in first.per_example
        },
    )


def _document(row: Row, form: Form) -> tuple[str, object]:
    return row.file, row.values.get(form.document)


def _each_alone(tokenizer: Tokenizer, texts: list[str]) -> Iterator[tuple[Ids, Starts]]:
    """As `Splitter.split`, where every token counts as a word."""
    for encoded in tokenizer.encode_batch_fast(texts, add_special_tokens=False):
        yield np.array(encoded.ids, np.int64), np.ones(len(encoded.ids), np.bool_)


@dataclass(slots=True, kw_only=True)
class _Pile:
    """Tokens that no sequence has yet."""

    room: int  # for words, in a sequence
    unit: int  # what is kept whole where it can be: words or sentences
    cls: int
    sep: int
    ids: list[Ids] = field(default_factory=list)
    starts: list[Kinds] = field(default_factory=list)
    document: tuple[str, object] | None = None
    number: int = -1  # of the document

    def turn(self, document: tuple[str, object]) -> None:
        """What comes is of another document."""
        self.document = document
        self.number += 1

    def add(self, ids: Ids, starts: Starts) -> None:
        """A sentence more."""
        kinds = starts.astype(np.uint8)
        kinds[:1] = SENTENCE
        self.ids.append(ids)
        self.starts.append(kinds)

    def taken(self, *, final: bool) -> Iterator[Block]:
        """The full sequences; what is left stays, unless this is final."""
        if not self.ids:
            return
        ids, starts = np.concatenate(self.ids), np.concatenate(self.starts)
        ends = cuts(starts, self.room, unit=self.unit, final=final)
        until = ends[-1] if ends else 0
        self.ids, self.starts = [ids[until:]], [starts[until:]]
        if ends:
            yield self._framed(ids[:until], starts[:until], np.diff([0, *ends]))

    def _framed(self, ids: Ids, starts: Kinds, lengths: Ids) -> Block:
        framed = lengths + FRAME
        ends = np.cumsum(framed)
        place = np.arange(len(ids)) + 1 + FRAME * np.repeat(np.arange(len(lengths)), lengths)
        tokens, begun = np.empty(ends[-1], np.int64), np.full(ends[-1], WORD, np.uint8)
        tokens[ends - framed], tokens[ends - 1] = self.cls, self.sep
        tokens[place], begun[place] = ids, starts
        first = ends - framed + 1
        begun[first] = np.maximum(begun[first], WORD)  # a torn word goes on as a new one
        numbers = np.full(len(lengths), self.number, np.int64)
        return Block(
            tokens=tokens,
            lengths=framed.astype(np.int32),
            per_token={STARTS: begun},
            per_example={DOCUMENT: numbers} if self.document else {},
        )


def cuts(starts: Kinds, room: int, *, unit: int, final: bool) -> list[int]:
    """Where sequences of at most `room` tokens end: before a unit, else before a word, else within.

    `final` ends the last one with the tokens; otherwise what could still grow is left out.
    """
    place = np.arange(len(starts))
    last = [np.maximum.accumulate(np.where(starts >= kind, place, 0)) for kind in (unit, WORD)]
    found, at = [], 0
    while len(starts) - at > room:
        fitting = (end for of in last if (end := int(of[at + room])) > at)
        at = next(fitting, at + room)
        found.append(at)
    if final and at < len(starts):
        found.append(len(starts))
    return found
