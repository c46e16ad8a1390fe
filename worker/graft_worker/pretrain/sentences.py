"""Sentences one after another into full sequences: `[CLS] words ... [SEP]`; runs without torch.

A sequence is full when the next word would not fit: it crosses the ends of sentences and of
documents, and tears no word that fits into a sequence by itself.

T tokens, K sequences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from tokenizers import Tokenizer

from graft_api.errors import ConfigError
from graft_worker.data.blocks import Block, Blocks
from graft_worker.data.rows import Row
from graft_worker.models.special import special
from graft_worker.pretrain.words import Ids, Splitter, Starts

STARTS = "starts"  # per token: 1 where a word begins
FRAME = 2  # [CLS] and [SEP]


def sequences(tokenizer: Tokenizer, *, max_length: int, whole_word: bool, role: str) -> Blocks:
    """A function from the rows of a split to Blocks whose per-token column is `starts`.

    Where words are not kept together every token begins one. The tokenizer given is not changed.

    Raises:
        ConfigError: no word would fit, or the tokenizer has no frame.
    """
    if max_length <= FRAME:
        raise ConfigError(
            f"spec.data.maxLength: {max_length}: too short, expected at least {FRAME + 1}",
            hint=f"{FRAME} tokens are marks of the tokenizer",
        )
    marks = special(tokenizer)
    splitter = Splitter.of(tokenizer)
    split = splitter.split if whole_word else partial(_each_alone, splitter.tokenizer)

    def blocks(chunks: Iterator[Sequence[Row]]) -> Iterator[Block]:
        pile = _Pile(room=max_length - FRAME, cls=marks.cls, sep=marks.sep)
        for rows in chunks:
            for ids, starts in split([str(row.values.get(role) or "") for row in rows]):
                pile.add(ids, starts)
            if block := pile.full():
                yield block
        if block := pile.rest():
            yield block

    return blocks


def _each_alone(tokenizer: Tokenizer, texts: list[str]) -> Iterator[tuple[Ids, Starts]]:
    """As `Splitter.split`, where every token counts as a word."""
    for encoded in tokenizer.encode_batch_fast(texts, add_special_tokens=False):
        yield np.array(encoded.ids, np.int64), np.ones(len(encoded.ids), np.bool_)


@dataclass(slots=True, kw_only=True)
class _Pile:
    """Tokens that no sequence has yet."""

    room: int  # for words, in a sequence
    cls: int
    sep: int
    ids: list[Ids] = field(default_factory=list)
    starts: list[Starts] = field(default_factory=list)

    def add(self, ids: Ids, starts: Starts) -> None:
        self.ids.append(ids)
        self.starts.append(starts)

    def full(self) -> Block | None:
        """The full sequences; what is left stays."""
        return self._taken(final=False)

    def rest(self) -> Block | None:
        """All that is left; its last sequence may be short."""
        return self._taken(final=True)

    def _taken(self, *, final: bool) -> Block | None:
        if not self.ids:
            return None
        ids, starts = np.concatenate(self.ids), np.concatenate(self.starts)
        ends = cuts(starts, self.room, final=final)
        until = ends[-1] if ends else 0
        self.ids, self.starts = [ids[until:]], [starts[until:]]
        if not ends:
            return None
        return self._framed(ids[:until], starts[:until], np.diff([0, *ends]))

    def _framed(self, ids: Ids, starts: Starts, lengths: Ids) -> Block:
        framed = lengths + FRAME
        ends = np.cumsum(framed)
        place = np.arange(len(ids)) + 1 + FRAME * np.repeat(np.arange(len(lengths)), lengths)
        tokens, begun = np.empty(ends[-1], np.int64), np.ones(ends[-1], np.uint8)
        tokens[ends - framed], tokens[ends - 1] = self.cls, self.sep
        tokens[place], begun[place] = ids, starts
        begun[ends - framed + 1] = 1  # a word that was torn goes on as a new one
        return Block(tokens=tokens, lengths=framed.astype(np.int32), per_token={STARTS: begun})


def cuts(starts: Starts, room: int, *, final: bool) -> list[int]:
    """Where sequences of at most `room` tokens end: before a word, unless one is longer than that.

    `final` ends the last one with the tokens; otherwise what could still grow is left out.
    """
    last = np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))
    found, at = [], 0
    while len(starts) - at > room:
        end = int(last[at + room])
        at = end if end > at else at + room
        found.append(at)
    if final and at < len(starts):
        found.append(len(starts))
    return found
