"""Whole words hidden while a batch is made: which ones is a function of (seed, epoch, sample).

No generator has to be saved, every epoch hides others, and neither a resume nor another number of
processes changes anything: see `data.order`. The rule is BERT's with whole words (algorithms.md
A1.3): words in a drawn order, each taken if it still fits into the budget; of the tokens taken 80 %
become [MASK], 10 % another token, 10 % stay. Runs without torch.

S sequences, W slots a line, M tokens hidden, V ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from graft_api.errors import ConfigError
from graft_worker.data import order
from graft_worker.data.order import Keys, Numbers
from graft_worker.data.shards import Shards
from graft_worker.data.shown import Flags, Questions, Shown
from graft_worker.models.special import NAMES, special
from graft_worker.pretrain import drawing
from graft_worker.pretrain.sentences import STARTS

if TYPE_CHECKING:
    from graft_api.pretrainjob import PretrainJobSpec

_DRAWS = np.array([[0x3A5C], [0xAC75], [0x07E4]], np.uint64)  # words, acts, other tokens
_FIXED = (1 << 40) + 1  # the place of the epoch where masks never change
_U = np.uint64
# Draws of 53 bits, below these shares of all: a mask, and the token itself; the rest is another.
_MASKED, _KEPT = (_U(int(share * (1 << 53)) << 11) for share in (0.8, 0.9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """A `View` of shards with words hidden."""

    probability: float  # share of a sequence's tokens
    seed: int
    online: bool  # anew in every epoch
    mask: int  # id of [MASK]
    marks: Flags  # [V] ids that are never hidden
    ordinary: Numbers  # ids that may stand for another

    def __call__(self, shards: Shards, rows: Numbers, keys: Keys | None) -> Shown:
        """The rows with some of their words hidden; fixed for each row where there are no keys."""
        return self.masked(Shown.of(shards, rows), self.keys(rows, keys))

    def keys(self, rows: Numbers, keys: Keys | None) -> Keys:
        """Of what is drawn: the keys given, or such as depend on the row and the seed alone."""
        return order.key(self.seed, _FIXED, rows) if keys is None or not self.online else keys

    def masked(self, shown: Shown, keys: Keys) -> Shown:
        """The sequences with some of their words hidden, drawn from a key for each."""
        free, width = self._free(shown), shown.tokens.shape[1]
        words, acts, others = order.key(keys, _DRAWS)
        drawn = order.grid(words, width)
        hidden = drawing.hidden(_begin(shown, free), free, drawn, self.probability)
        asked = _questions(shown, hidden)
        tokens = shown.tokens.ravel().copy()
        tokens[asked.slots] = self._instead(asked, acts, others, width)
        return replace(shown, tokens=tokens.reshape(shown.tokens.shape), questions=asked)

    def _free(self, shown: Shown) -> Flags:
        """Which slots [S, W] may be hidden."""
        free = ~self.marks.take(shown.tokens, mode="wrap")  # the quickest mode; no id is outside
        return free if shown.inside is None else free & shown.inside

    def _instead(self, asked: Questions, acts: Keys, others: Keys, width: int) -> Numbers:
        """What stands in place of each token [M] asked, drawn from keys of each sequence [S]."""
        sequences = asked.sequences
        places = asked.slots - sequences * width
        act = order.at(acts[sequences], places)
        instead = np.where(act < _MASKED, self.mask, asked.answers)
        other = np.flatnonzero(act >= _KEPT)
        drawn = order.at(others[sequences[other]], places[other]) % _U(len(self.ordinary))
        instead[other] = self.ordinary[drawn.astype(np.int64)]
        return instead


def _questions(shown: Shown, hidden: Flags) -> Questions:
    at = np.flatnonzero(hidden)
    return Questions(slots=at, answers=shown.tokens.ravel()[at], counts=drawing.each(hidden))


def _begin(shown: Shown, free: Flags) -> Flags | None:
    """Where words begin, None where all slots do.

    A mark ends the word before it and is no word itself.
    """
    starts = shown.per_token[STARTS]
    if starts.all():
        return None
    begin: Flags = (starts != 0) | ~free
    begin[:, 1:] |= ~free[:, :-1]
    begin[:, 0] = True
    return begin


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
