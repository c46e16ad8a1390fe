"""The batches of every step, the same whatever the number of processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from graft_worker.data import batches, order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from graft_worker.data.batch import Batch
    from graft_worker.data.shards import Shards


_SORTED = 1 << 16  # sequences sorted at once


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """What one process takes at a time."""

    batch: Batch
    index: int  # among the micro-batches of the step, over all processes
    weight: float  # 0 where the process only keeps the others company


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one process does in an optimizer step, counted from 0."""

    number: int
    sequences: int  # of all processes
    micro_batches: tuple[MicroBatch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """An endless, seeded order of the training split, cut into steps and micro-batches.

    Step s covers positions [s * global_batch, (s + 1) * global_batch) of the stream, so the step is
    the position: nothing else has to be saved.
    """

    shards: Shards
    seed: int
    global_batch: int
    micro_batch: int
    positions: int  # of the whole training
    width: int
    packing: bool
    rank: int
    world: int

    def steps(self, start: int, end: int) -> Iterator[Step]:
        """The steps from `start` up to `end`, each collated when it is asked for."""
        for number in range(start, end):
            yield self.step(number)

    def step(self, number: int) -> Step:
        """One step of this process."""
        mine = batches.micro_batches(
            number,
            global_batch=self.global_batch,
            micro_batch=self.micro_batch,
            total=self.positions,
            rank=self.rank,
            world=self.world,
        )
        return Step(
            number=number,
            sequences=len(self._positions(number)),
            micro_batches=tuple(self._micro_batch(number, i, at) for i, at in enumerate(mine)),
        )

    def samples(self, number: int) -> NDArray[np.int64]:
        """Rows of the split that a step reads, over all processes."""
        at = self._positions(number)
        return order.samples_at(self.seed, at.start, len(at), self.shards.rows)[1]

    def longest(self, count: int) -> Batch:
        """The longest sequences of the split: what needs the most memory."""
        rows = _longest(self.shards.lengths, count)
        return self._batch(np.zeros_like(rows), rows)

    def _positions(self, number: int) -> range:
        start = number * self.global_batch
        return range(start, min(start + self.global_batch, self.positions))

    def _micro_batch(self, number: int, turn: int, at: range | None) -> MicroBatch:
        # A process without a share passes the step's first sequence with weight 0.
        start = number * self.global_batch
        taken = range(start, start + 1) if at is None else at
        epochs, rows = order.samples_at(self.seed, taken.start, len(taken), self.shards.rows)
        return MicroBatch(
            batch=self._batch(epochs, rows),
            index=turn * self.world + self.rank,
            weight=0.0 if at is None else 1.0,
        )

    def _batch(self, epochs: NDArray[np.int64], rows: NDArray[np.int64]) -> Batch:
        # Epochs ascend; hashing one number is a tenth of the work of hashing an array.
        epoch = int(epochs[0]) if epochs[0] == epochs[-1] else epochs
        return batches.collate(
            self.shards,
            rows,
            keys=order.key(self.seed, epoch, rows),
            width=self.width,
            packing=self.packing,
        )


def _longest(lengths: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """The rows of so many longest sequences, the first ones of equal length; in steady memory."""
    best = np.empty(0, np.int64)
    for start in range(0, len(lengths), _SORTED):
        rows = np.append(best, np.arange(start, min(start + _SORTED, len(lengths))))
        best = rows[np.argsort(-lengths[rows], kind="stable")[:count]]
    return best
