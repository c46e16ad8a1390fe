"""Which words of a batch are hidden: tried in a drawn order, each taken if it still fits.

Everything is a grid of S sequences and W slots, so that all sequences advance at once. K is how
many words of each are tried, the first in the order drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from graft_worker.data.order import Keys, Numbers
from graft_worker.data.shown import Flags, Grid

_DRAWN = 24  # bits of what is drawn that make the order; the place in the sequence is what follows
_EARLY = 1.25  # times the tokens hidden: so many words are nearly always enough
_U = np.uint64


def hidden(begin: Flags | None, free: Flags, drawn: Keys, probability: float) -> Flags:
    """Which slots [S, W] are hidden, of those that are `free`.

    Words begin where `begin` says, which it does at every slot that is not free, or everywhere.
    `drawn` [S, W] has a number for each slot, of which that of a word's first counts.
    """
    width = drawn.shape[1]
    room = _rooms(probability, width)[each(free)]
    if begin is None:  # every word is one token: the first ones of the order fill the room
        ranks = _ranks(drawn, free)
        last = np.sort(ranks, 1)[np.arange(len(room)), np.maximum(room, 1) - 1]
        found: Flags = free & (ranks <= last[:, None])
        return found
    firsts = begin & free
    order = np.sort(_ranks(drawn, firsts), 1)
    places = (order & order.dtype.type(_mask(width))).astype(np.int64)
    tries = _Tries(sizes=_sizes(begin), places=places, counts=each(firsts))
    return _spread(*tries.chosen(room, early=int(_EARLY * probability * width) + 1), free.shape)


@lru_cache(maxsize=64)
def _rooms(probability: float, width: int) -> Numbers:
    """How many tokens are hidden of a sequence with so many that may be: [width + 1]."""
    rooms: Numbers = np.maximum(1, np.rint(probability * np.arange(width + 1))).astype(np.int64)
    rooms[0] = 0
    return rooms


def each(flags: Flags) -> Numbers:
    """How many are set in each line [S]."""
    counts: Numbers = np.bitwise_count(flags.view(np.uint64)).sum(1, dtype=np.int64)
    return counts


def _mask(width: int) -> int:
    return 0xFF if width <= 0x100 else 0xFFFF


def _ranks(drawn: Keys, words: Flags) -> Grid:
    """Ranks [S, W] that order a sequence's words: what was drawn, then the place; others last.

    No two are equal, so that every way of sorting gives one order.
    """
    width = drawn.shape[1]
    mask = _mask(width)
    kind: type[np.unsignedinteger] = np.uint32 if mask == 0xFF else np.uint64
    ranks = (drawn >> _U(64 - _DRAWN - mask.bit_length())).astype(kind)
    ranks &= kind(~mask & np.iinfo(kind).max)
    ranks |= np.arange(width, dtype=kind)
    np.copyto(ranks, np.iinfo(kind).max, where=~words)
    return ranks


def _sizes(begin: Flags) -> Numbers:
    """The tokens of the word that begins at each slot [S * W], 0 where none does."""
    sizes, at = np.zeros(begin.size, np.int64), np.flatnonzero(begin)
    sizes[at[:-1]] = at[1:] - at[:-1]
    sizes[at[-1]] = begin.size - at[-1]
    return sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tries:
    """Words in the order in which they are tried."""

    sizes: Numbers  # [S * W] of the word that begins at each slot
    places: Numbers  # [S, W] where they begin in their sequence, in the order of trying
    counts: Numbers  # [S] words of each sequence; what follows in its order is none

    def chosen(self, room: Numbers, *, early: int) -> tuple[Numbers, Numbers]:
        """First slots and sizes of the words that fit; late ones are tried only if room is left."""
        rows = np.arange(len(room))
        *found, left = self._tried(rows, slice(early), room)
        rows = np.flatnonzero(left)
        if not len(rows) or early >= self.places.shape[1]:
            return found[0], found[1]
        *more, _ = self._tried(rows, slice(early, None), left[rows])
        return np.append(found[0], more[0]), np.append(found[1], more[1])

    def _tried(
        self, rows: Numbers, turns: slice, room: Numbers
    ) -> tuple[Numbers, Numbers, Numbers]:
        """First slots and sizes of words that fit, and the room that is left of each row."""
        width = self.places.shape[1]
        slots = self.places[rows, turns] + (rows * width)[:, None]
        sizes = self.sizes.take(slots, mode="clip")  # what is no word may point outside
        sizes *= np.arange(width)[turns] < self.counts[rows, None]
        fits, left = fitting(sizes, room)
        at = np.flatnonzero(fits)
        return slots.ravel()[at], sizes.ravel()[at], left


def fitting(sizes: Numbers, room: Numbers) -> tuple[Flags, Numbers]:
    """Which things [S, K], tried in order, fit into their line's room [S]; what is left of it.

    One that does not fit is passed over; things of size 0 are none. All lines advance at once, up
    to the first thing that does not fit, then those where a later one still could: each time the
    largest size in question is smaller.
    """
    fits = np.cumsum(sizes, 1) <= room[:, None]
    left = room - (sizes * fits).sum(1)
    rest = sizes * (~fits & (sizes <= left[:, None]))
    if len(going := np.flatnonzero(rest.any(1))):
        more, left[going] = fitting(rest[going], left[going])
        fits[going] |= more
    return fits & (sizes > 0), left


def _spread(firsts: Numbers, sizes: Numbers, shape: tuple[int, ...]) -> Flags:
    """The slots of words, by their first slots and sizes."""
    ends = np.cumsum(sizes)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - sizes, sizes)
    flags = np.zeros(shape, np.bool_)
    flags.reshape(-1)[np.repeat(firsts, sizes) + within] = True
    return flags
