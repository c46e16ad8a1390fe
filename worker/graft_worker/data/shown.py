"""The sequences of a batch as a grid, one a line: what a view shows of the examples chosen.

All of a batch moves at once then, without an index for every token: sequences that are full, or
nearly, lie in the grid as the model takes them.

S sequences, W slots a line, M tokens asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graft_worker.data.order import Numbers
from graft_worker.data.packing import rounded_up
from graft_worker.data.shards import ANSWER, Shards

Flags = NDArray[np.bool_]
Grid = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Tokens that are to be predicted, in the order of their slots."""

    slots: Numbers  # [M] in the flattened grid
    answers: Numbers  # [M] their true ids
    counts: Numbers  # [S] asked of each sequence

    @property
    def sequences(self) -> Numbers:
        """Which sequence each is of [M]."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """S sequences. Slots behind a sequence's end hold 0."""

    tokens: NDArray[np.int64]  # [S, W], W a multiple of 8
    lengths: Numbers  # [S]
    inside: Flags | None  # [S, W] slots that hold a token; None where all do
    per_token: Mapping[str, Grid] = field(default_factory=dict)  # name -> [S, W]
    per_example: Mapping[str, NDArray[Any]] = field(default_factory=dict)  # name -> [S, ...]
    questions: Questions | None = None

    @classmethod
    def of(cls, shards: Shards, rows: Numbers) -> Shown:
        """Rows of the shards as they are stored, without their columns per example."""
        lengths = shards.lengths[rows].astype(np.int64)
        width = rounded_up(int(lengths.max()))
        inside = None if int(lengths.min()) == width else np.arange(width) < lengths[:, None]
        first = shards.offsets[rows]

        def grid(column: Grid) -> Grid:
            lines = _lines(column, first, width)
            if inside is not None:
                lines *= inside
            return lines

        return cls(
            tokens=grid(shards.tokens).astype(np.int64),
            lengths=lengths,
            inside=inside,
            per_token={name: grid(column) for name, column in shards.per_token.items()},
        )

    def flat(self) -> Shards:
        """The same end to end; answers are the column `token.answer`, -1 where nothing is asked."""
        columns = dict(self.per_token)
        if self.questions is not None:
            answers = np.full(self.tokens.size, -1)
            answers[self.questions.slots] = self.questions.answers
            columns[ANSWER] = answers.reshape(self.tokens.shape)
        inside = slice(None) if self.inside is None else self.inside
        return Shards(
            rows=len(self.lengths),
            tokens=self.tokens[inside].ravel().astype(np.uint32),
            offsets=np.concatenate([[0], np.cumsum(self.lengths)]),
            lengths=self.lengths.astype(np.int32),
            per_token={name: grid[inside].ravel() for name, grid in columns.items()},
            per_example=dict(self.per_example),
        )


def _lines(column: Grid, first: Numbers, width: int) -> Grid:
    """So many values of a column from each of the places `first` [S] on."""
    if int(first.max()) + width > len(column) or not column.flags.c_contiguous:
        lines: Grid = column[np.minimum(first[:, None] + np.arange(width), len(column) - 1)]
        return lines
    # A line for every place where one could begin, without a copy; then whole lines are taken.
    step, begins = column.itemsize, len(column) - width + 1
    every: Grid = np.ndarray((begins, width), column.dtype, column, 0, (step, step))
    return every[first]
