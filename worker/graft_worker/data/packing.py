"""Sequences laid into rows: which row, at which slot, as which segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

_GRAIN = 8  # widths are multiples of it: what matrix units like
_FULL = 0.95  # a layout with this share of real tokens is good enough to stop looking


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each of S sequences stands in R rows of W slots."""

    rows: int
    width: int
    row: Numbers  # [S]
    start: Numbers  # [S] slot of the first token within the row
    segment: Numbers  # [S] 1, 2, ... within the row

    def runs(self, lengths: Numbers) -> NDArray[np.int32]:
        """Where sequences and what is left of rows begin in R * W, ascending; last R * W itself."""
        begin = self.begins
        cuts = np.concatenate([begin, begin + lengths, [self.rows * self.width]])
        cuts.sort()
        new = np.ones(len(cuts), np.bool_)
        np.not_equal(cuts[1:], cuts[:-1], out=new[1:])
        return cuts[new].astype(np.int32)

    @property
    def begins(self) -> Numbers:
        """Slot of each sequence's first token in R * W, [S]."""
        return self.row * self.width + self.start

    @property
    def alone(self) -> bool:
        """Whether every row is one sequence."""
        return self.rows == len(self.row)


def padded(lengths: Numbers) -> Layout:
    """One sequence per row; rows as wide as the longest, rounded up to a multiple of 8."""
    n = len(lengths)
    return Layout(
        rows=n,
        width=rounded_up(int(lengths.max())),
        row=np.arange(n),
        start=np.zeros(n, np.int64),
        segment=np.ones(n, np.int64),
    )


def packed(lengths: Numbers, *, width: int) -> Layout:
    """Several sequences per row, rows of at most `width` slots (rounded up to a multiple of 8).

    Tries the narrowest rows first, because attention costs rows * width^2: as wide as the longest
    sequence, twice that, `width`, and one row for all where they fit. Takes the first layout that
    is 95 % full, else the one with the fewest slots.
    """
    longest, total, width = int(lengths.max()), int(lengths.sum()), rounded_up(width)
    if longest > width:
        raise ValueError(f"a sequence of {longest} tokens does not fit into rows of {width}")
    widths = {min(rounded_up(w), width) for w in (longest, 2 * longest, width)}
    if total <= width:
        widths.add(rounded_up(total))
    best: Layout | None = None
    for candidate in sorted(widths):
        layout = first_fit(lengths, width=candidate)
        if best is None or layout.rows * layout.width < best.rows * best.width:
            best = layout
        if total >= _FULL * best.rows * best.width:
            break
    assert best is not None
    return best


def first_fit(lengths: Numbers, *, width: int) -> Layout:
    """First-fit decreasing: longest first, each into the fullest row that still has room for it.

    Rows wait in buckets by their free slots; the bits of `open_` say which buckets are not empty,
    so that finding one is a single operation.
    """
    n = len(lengths)
    descending = np.argsort(-lengths, kind="stable")
    if int(lengths[descending[-2:]].sum()) > width:
        return _each_alone(descending, width)
    row, start, segment = (np.empty(n, np.int64) for _ in range(3))
    sizes: list[int] = lengths.tolist()
    count: list[int] = []
    buckets: list[list[int]] = [[] for _ in range(width + 1)]
    open_ = 0
    for i in descending.tolist():
        size = sizes[i]
        fitting = open_ >> size
        if fitting:
            free = size + (fitting & -fitting).bit_length() - 1
            r = buckets[free].pop()
            if not buckets[free]:
                open_ ^= 1 << free
        else:
            free, r = width, len(count)
            count.append(0)
        count[r] += 1
        row[i], start[i], segment[i] = r, width - free, count[r]
        buckets[free - size].append(r)
        open_ |= 1 << (free - size)
    return Layout(rows=len(count), width=width, row=row, start=start, segment=segment)


def _each_alone(descending: Numbers, width: int) -> Layout:
    """What first fit finds where not even the two shortest share a row."""
    n = len(descending)
    row = np.empty(n, np.int64)
    row[descending] = np.arange(n)
    ones = np.ones(n, np.int64)
    return Layout(rows=n, width=width, row=row, start=np.zeros(n, np.int64), segment=ones)


def rounded_up(size: int) -> int:
    """The size as a multiple of 8, at least 8."""
    return max(_GRAIN, -(-size // _GRAIN) * _GRAIN)
