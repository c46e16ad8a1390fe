"""Pairs of segments drawn while a batch is made: `[CLS] A [SEP] B [SEP]`; runs without torch.

A stored sequence is cut at the start of one of its sentences, drawn evenly. In one of two cases
the pair is spoilt, and the model is to tell: for sentence order A and B change places (Lan et al.
2020, arXiv 1909.11942, section 3.1), for next sentences B comes from another document (Devlin et
al. 2019, section 3.1). The public code's `mlm+nsp` trained the former unless told otherwise.

Like masks, pairs are a function of (seed, epoch, sample) alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from graft_worker.data import order
from graft_worker.data.order import Keys, Numbers
from graft_worker.data.shards import Shards
from graft_worker.data.shown import Shown
from graft_worker.pretrain.masking import Masking
from graft_worker.pretrain.sentences import DOCUMENT, SENTENCE, STARTS, WORD

SPOILT = "spoilt"  # per example: 1 where A and B do not belong together as they stand
FRAME = 3  # tokens that frame a pair
TRIES = 8  # rows looked at for one of another document

_CUT, _COIN, _OTHER = 0xC07, 0xC01, 0x07B


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Tokens of a row without their frame, and where words begin."""

    tokens: Numbers
    starts: Numbers

    def part(self, place: slice) -> Segment:
        """A part of it."""
        return Segment(tokens=self.tokens[place], starts=self.starts[place])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two segments, and whether they are spoilt."""

    a: Segment
    b: Segment
    spoilt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """A `View` of shards as pairs with words hidden."""

    masking: Masking
    spoil: Literal["order", "next"]
    cls: int
    sep: int

    def __call__(self, shards: Shards, rows: Numbers, keys: Keys | None) -> Shown:
        """The rows as pairs; fixed for each row where there are no keys."""
        drawn = self.masking.keys(rows, keys)
        pairs = [self.pair(shards, row, key) for row, key in zip(rows.tolist(), drawn, strict=True)]
        framed = self._framed(pairs)
        shown = Shown.of(framed, np.arange(len(pairs)))
        return replace(
            self.masking.masked(shown, drawn),
            per_example={SPOILT: np.array([pair.spoilt for pair in pairs], np.int64)},
        )

    def pair(self, shards: Shards, row: int, key: np.uint64) -> Pair:
        """The pair of a row."""
        whole = _segment(shards, row)
        at = _cut(whole, _draw(key, _CUT))
        a, b = whole.part(slice(at)), whole.part(slice(at, None))
        if _draw(key, _COIN) % 2 == 0:
            return Pair(a=a, b=b, spoilt=0)
        if self.spoil == "order":
            return Pair(a=b, b=a, spoilt=1)
        other = _other(shards, row, key)
        if other is None:  # there is but one document
            return Pair(a=a, b=b, spoilt=0)
        strange = _segment(shards, other)
        begin = _cut(strange, _draw(key, _CUT, other))
        return Pair(a=a, b=strange.part(slice(begin, begin + len(b.tokens))), spoilt=1)

    def _framed(self, pairs: list[Pair]) -> Shards:
        cls, sep, mark = [self.cls], [self.sep], [WORD]
        tokens = [part for p in pairs for part in (cls, p.a.tokens, sep, p.b.tokens, sep)]
        starts = [part for p in pairs for part in (mark, p.a.starts, mark, p.b.starts, mark)]
        sizes = np.array([(len(p.a.tokens) + 2, len(p.b.tokens) + 1) for p in pairs], np.int64)
        lengths = sizes.sum(1)
        return Shards(
            rows=len(pairs),
            tokens=np.concatenate(tokens).astype(np.uint32),
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            lengths=lengths.astype(np.int32),
            per_token={
                STARTS: np.concatenate(starts),
                "types": np.repeat(np.tile([0, 1], len(pairs)), sizes.ravel()),
            },
            per_example={},
        )


def _segment(shards: Shards, row: int) -> Segment:
    place = slice(int(shards.offsets[row]) + 1, int(shards.offsets[row + 1]) - 1)
    return Segment(
        tokens=shards.tokens[place].astype(np.int64),
        starts=shards.per_token[STARTS][place].astype(np.int64),
    )


def _cut(whole: Segment, draw: int) -> int:
    """Where the second segment begins: at a sentence, else at a word, else in the middle."""
    for kind in (SENTENCE, WORD):
        found = np.flatnonzero(whole.starts[1:] >= kind) + 1
        if len(found):
            return int(found[draw % len(found)])
    return len(whole.tokens) // 2


def _other(shards: Shards, row: int, key: np.uint64) -> int | None:
    documents = shards.per_example[DOCUMENT]
    for turn in range(TRIES):
        found = _draw(key, _OTHER, turn) % shards.rows
        if documents[found] != documents[row]:
            return found
    return None


def _draw(key: np.uint64, *what: int) -> int:
    return int(order.key(int(key), *what))
