"""Whole words hidden while a batch is made: which ones is a function of (seed, epoch, sample).

No generator has to be saved, every epoch hides others, and neither a resume nor another number of
processes changes anything: see `data.order`. The rule is BERT's with whole words (algorithms.md
A1.3): words in a drawn order, each taken if it still fits into the budget; of the tokens taken 80 %
become [MASK], 10 % another token, 10 % stay. Runs without torch.

S sequences, T tokens of all of them, W words that may be hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from graft_api.errors import ConfigError
from graft_worker.data import order
from graft_worker.data.order import Keys, Numbers, places_of
from graft_worker.data.shards import ANSWER, Shards
from graft_worker.models.special import NAMES, special
from graft_worker.pretrain.sentences import STARTS

if TYPE_CHECKING:
    from graft_api.pretrainjob import PretrainJobSpec

Flags = NDArray[np.bool_]

_WORDS, _ACTS, _OTHERS = 0x3A5C, 0xAC75, 0x07E4  # what is drawn: words, acts, other tokens
_FIXED = (1 << 40) + 1  # the place of the epoch where masks never change
_EARLY = 2.5  # times the share hidden: words drawn before are nearly always enough
_U = np.uint64


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """A `View` of shards with words hidden."""

    probability: float  # share of a sequence's tokens
    seed: int
    online: bool  # anew in every epoch
    mask: int  # id of [MASK]
    marks: Flags  # [V] ids that are never hidden
    ordinary: Numbers  # ids that may stand for another

    def __call__(self, shards: Shards, rows: Numbers, keys: Keys | None) -> Shards:
        """The rows with some of their words hidden; fixed for each row where there are no keys."""
        return self.masked(shards, rows, self.keys(rows, keys))

    def keys(self, rows: Numbers, keys: Keys | None) -> Keys:
        """Of what is drawn: the keys given, or such as depend on the row and the seed alone."""
        return order.key(self.seed, _FIXED, rows) if keys is None or not self.online else keys

    def masked(self, shards: Shards, rows: Numbers, keys: Keys) -> Shards:
        """The rows with some of their words hidden, drawn from the keys."""
        lengths = shards.lengths[rows].astype(np.int64)
        place = places_of(lengths)
        source = np.repeat(shards.offsets[rows], lengths) + place
        tokens = shards.tokens[source].astype(np.int64)
        words = Words.of(shards.per_token[STARTS][source] != 0, self.marks[tokens], lengths)
        hidden = words.hidden(self.probability, order.key(keys, _WORDS))
        at = np.flatnonzero(hidden)
        own = keys[np.searchsorted(np.cumsum(lengths), at, side="right")]
        shown = self._shown(tokens, at, own, place[at])
        return Shards(
            rows=len(rows),
            tokens=shown.astype(np.uint32),
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            lengths=shards.lengths[rows],
            per_token={ANSWER: np.where(hidden, tokens, -1)},
            per_example={},
        )

    def _shown(self, tokens: Numbers, at: Numbers, keys: Keys, places: Numbers) -> Numbers:
        """The tokens [T] with those at the places `at` replaced, drawn from a key for each."""
        act = (order.at(order.key(keys, _ACTS), places) >> _U(11)) / float(1 << 53)
        drawn = order.at(order.key(keys, _OTHERS), places) % _U(len(self.ordinary))
        shown = tokens.copy()
        other = self.ordinary[drawn.astype(np.int64)]
        shown[at] = np.where(act < 0.8, self.mask, np.where(act < 0.9, tokens[at], other))
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of a flat batch that may be hidden."""

    of_token: Numbers  # [T] number of each token's word, -1 of marks
    firsts: Numbers  # [W] places of first tokens in the flat batch
    sizes: Numbers  # [W]
    owners: Numbers  # [W] their sequences, ascending
    begins: Numbers  # [S] where sequences begin in the flat batch

    @classmethod
    def of(cls, starts: Flags, marks: Flags, lengths: Numbers) -> Words:
        """Words from their starts [T]; a mark [T] ends the word before it and is none itself."""
        begins = np.cumsum(lengths) - lengths
        begin = starts | marks
        begin[begins] = True
        begin[1:] |= marks[:-1]
        firsts = np.flatnonzero(begin)
        sizes = np.diff(np.append(firsts, len(starts)))
        kept = ~marks[firsts]
        of_token = np.repeat(np.where(kept, np.cumsum(kept) - 1, -1), sizes)
        owners = np.repeat(np.arange(len(lengths)), lengths)[firsts]
        return cls(
            of_token=of_token,
            firsts=firsts[kept],
            sizes=sizes[kept],
            owners=owners[kept],
            begins=begins,
        )

    def hidden(self, probability: float, keys: Keys) -> Flags:
        """Which tokens [T] are hidden, by a key for each sequence [S].

        Only words that are drawn early are tried, unless a sequence has room left after them.
        """
        counts = np.bincount(self.owners, self.sizes, len(self.begins))
        budget = np.where(counts > 0, np.maximum(1, np.rint(probability * counts)), 0)
        room, places = budget.astype(np.int64), self.firsts - self.begins[self.owners]
        drawn = order.at(keys[self.owners], places)
        ranks = (self.owners.astype(_U) << _U(40)) + (drawn >> _U(40) << _U(16)) + places.astype(_U)
        taken = np.zeros(len(self.sizes) + 1, np.bool_)  # the last is what marks point at
        early = np.flatnonzero(drawn >> _U(11) < _U(int(min(1, _EARLY * probability) * (1 << 53))))
        left = self._take(taken, ranks[early], room)
        if (short := left > 0).any():
            taken[:-1] &= ~short[self.owners]
            self._take(taken, ranks[short[self.owners]], np.where(short, room, 0))
        return taken[self.of_token]

    def _take(self, taken: Flags, ranks: Keys, room: Numbers) -> Numbers:
        """Marks the words that fit, in the order of their ranks; the room [S] that is left.

        A rank is a sequence, what was drawn and a place there: no two are equal, so that every way
        of sorting gives one order.
        """
        ranks = np.sort(ranks)
        owners = (ranks >> _U(40)).astype(np.int64)
        tried = self.of_token[self.begins[owners] + (ranks & _U(0xFFFF)).astype(np.int64)]
        sizes = self.sizes[tried]
        fits = fitting(sizes, owners, room)
        taken[tried[fits]] = True
        return room - np.bincount(owners[fits], sizes[fits], len(room)).astype(np.int64)


def fitting(sizes: Numbers, owners: Numbers, room: Numbers) -> Flags:
    """Which things [W], tried in their order, still fit into what is left of their owner's room.

    One that does not fit is passed over. Owners ascend. All owners advance at once: up to the first
    thing that does not fit, again and again; what is larger than the room left can never fit.
    """
    taken, room = np.zeros(len(sizes), np.bool_), room.copy()
    left = np.arange(len(sizes))
    while len(left := left[sizes[left] <= room[owners[left]]]):
        own, size = owners[left], sizes[left]
        total = np.cumsum(size)
        first = np.concatenate([[True], own[1:] != own[:-1]])
        before = (total - size)[first][np.cumsum(first) - 1]
        fits = total - before <= room[own]
        taken[left[fits]] = True
        room -= np.bincount(own[fits], size[fits], len(room)).astype(np.int64)
        left = left[~fits]
    return taken


def of_spec(spec: PretrainJobSpec, tokenizer: Tokenizer) -> Masking:
    """The masking of a job.

    Raises:
        ConfigError: the tokenizer has no [MASK].
    """
    mask = special(tokenizer).mask
    if mask < 0:
        raise ConfigError(
            f"spec.model.tokenizer: no {' or '.join(NAMES['mask'])} in its vocabulary",
            hint="use the tokenizer of a BERT-like model, or train one with "
            "spec.model.tokenizer.train",
        )
    marks = np.zeros(tokenizer.get_vocab_size(with_added_tokens=True), np.bool_)
    marks[_marks(tokenizer)] = True
    return Masking(
        probability=spec.objective.probability,
        seed=spec.training.seed,
        online=spec.objective.online,
        mask=mask,
        marks=marks,
        ordinary=np.flatnonzero(~marks),
    )


def _marks(tokenizer: Tokenizer) -> list[int]:
    """Ids of special tokens but the unknown one, which stands for a word."""
    added: Mapping[int, Any] = tokenizer.get_added_tokens_decoder()
    unknown = special(tokenizer).unk
    return [index for index, token in added.items() if token.special and index != unknown]
