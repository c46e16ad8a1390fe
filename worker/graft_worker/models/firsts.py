"""First tokens as the only queries: what a layer needs to answer them and no others.

Packed rows hold different numbers of sequences. Every row gets as many queries as the fullest, so
that attention stays one dense call; spare queries repeat the row's slot 0 and are dropped.

Shapes: R rows, W slots per row, S sequences, Q queries per row, * any further axes.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from graft_worker.data.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Firsts:
    """Where the first tokens of a batch stand, as slots and as queries."""

    slots: Tensor  # [S] in R * W
    asking: Tensor  # [R, Q] slots in R * W, spare ones included
    places: Tensor  # [S] in R * Q
    mask: Tensor | None  # [R, 1, Q, W]: which slots they see; none where these are all of a row

    def of(self, x: Tensor) -> Tensor:
        """The first tokens' share of x [R, W, *]: [S, *]."""
        return x.flatten(0, 1).index_select(0, self.slots)

    def queries(self, x: Tensor) -> Tensor:
        """X [R, W, *] at the slots that ask: [R, Q, *]."""
        asked = x.flatten(0, 1).index_select(0, self.asking.flatten())
        return asked.view(*self.asking.shape, *x.shape[2:])

    def answers(self, x: Tensor) -> Tensor:
        """X [R, Q, *] without the spare queries: [S, *]."""
        return x.flatten(0, 1).index_select(0, self.places)


def firsts_of(batch: Batch) -> Firsts:
    """The first tokens of a batch. Nothing waits for a device."""
    rows, width = batch.ids.shape
    places = (batch.first // width) * batch.most
    places += batch.segments.flatten().index_select(0, batch.first) - 1
    starts = (batch.first.new_ones(rows).cumsum(0) - 1) * width
    asking = starts.repeat_interleave(batch.most).index_copy(0, places, batch.first)
    asking = asking.view(rows, batch.most)
    return Firsts(slots=batch.first, asking=asking, places=places, mask=_mask(batch, asking))


def _mask(batch: Batch, asking: Tensor) -> Tensor | None:
    if batch.whole:
        return None
    theirs = batch.segments.flatten().index_select(0, asking.flatten()).view_as(asking)
    return theirs[:, None, :, None] == batch.segments[:, None, None, :]
