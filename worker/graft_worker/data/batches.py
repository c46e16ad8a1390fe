"""Batches from shards: which positions a micro-batch holds, and its tensors.

Shapes: R rows, W tokens per row, S sequences, T real tokens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from graft_worker.data.batch import Asked, Batch
from graft_worker.data.order import Keys, Numbers, grid_keys, places_of, token_keys
from graft_worker.data.packing import Layout, packed, padded
from graft_worker.data.shards import ANSWER, Shards
from graft_worker.data.shown import Flags, Questions, Shown


def collate(
    shards: Shards, ids: ArrayLike, *, keys: Keys | None, width: int, packing: bool
) -> Batch:
    """The batch of the given rows of the shards; sequence s of the batch is ids[s].

    `keys` [S] seeds what dropout draws, one key per sequence (`order.key(seed, epoch, id)`); None
    where nothing is drawn. `width` bounds the tokens per row, see `packing.packed`. Padded and
    packed batches hold the same tokens with the same positions, keys and targets.
    """
    rows = np.asarray(ids, np.int64)
    lay = partial(packed, width=width) if packing else padded
    if shards.view is None:
        return _of_flat(shards, rows, lay(shards.lengths[rows].astype(np.int64)), keys)
    shown = shards.view(shards, rows, keys)
    layout = lay(shown.lengths)
    if layout.alone and layout.width == shown.tokens.shape[1]:
        return _of_grid(shown, rows, layout, keys)
    made = _of_flat(shown.flat(), np.arange(len(rows)), layout, keys)
    return replace(made, samples=torch.from_numpy(rows))


def _of_flat(shards: Shards, rows: Numbers, layout: Layout, keys: Keys | None) -> Batch:
    """The batch of stored rows, token by token from where each stands to its slot."""
    lengths = shards.lengths[rows].astype(np.int64)
    place = places_of(lengths)
    slots = np.repeat(layout.begins, lengths) + place
    source = np.repeat(shards.offsets[rows], lengths) + place
    fill = _Fill(layout, slots)
    types = shards.per_token["types"][source] if "types" in shards.per_token else place * 0
    drawn = np.zeros(len(place), np.int32) if keys is None else token_keys(keys, lengths)
    return Batch(
        ids=fill(shards.tokens[source], np.int64),
        positions=fill(place, np.int64),
        segments=fill(np.repeat(layout.segment, lengths), np.int32),
        types=fill(types, np.int64),
        keys=fill(drawn, np.int32),
        first=torch.from_numpy(layout.begins),
        samples=torch.from_numpy(rows),
        targets={name: _tensor(column[rows]) for name, column in shards.per_example.items()},
        tokens=len(place),
        most=int(layout.segment.max()),
        attended=int(lengths @ lengths),
        longest=int(lengths.max()),
        starts=torch.from_numpy(layout.runs(lengths)),
        asked=_asked(shards.per_token[ANSWER][source], slots, lengths)
        if ANSWER in shards.per_token
        else None,
    )


def _of_grid(shown: Shown, rows: Numbers, layout: Layout, keys: Keys | None) -> Batch:
    """The batch of sequences that have a row each: lines of the grid, perhaps in another order."""
    kept = bool((layout.row == np.arange(layout.rows)).all())
    order = slice(None) if kept else np.argsort(layout.row)
    inside = None if shown.inside is None else shown.inside[order]
    fill = partial(_within, inside, (layout.rows, layout.width))
    types = shown.per_token.get("types")
    return Batch(
        ids=torch.from_numpy(shown.tokens[order]),
        positions=fill(np.arange(layout.width), np.int64),
        segments=fill(1, np.int32),
        types=fill(0 if types is None else types[order], np.int64),
        keys=fill(0 if keys is None else grid_keys(keys[order], layout.width), np.int32),
        first=torch.from_numpy(layout.begins),
        samples=torch.from_numpy(rows),
        targets={name: _tensor(column) for name, column in shown.per_example.items()},
        tokens=int(shown.lengths.sum()),
        most=1,
        attended=int(shown.lengths @ shown.lengths),
        longest=int(shown.lengths.max()),
        starts=torch.from_numpy(layout.runs(shown.lengths)),
        asked=None if shown.questions is None else _moved(shown.questions, layout),
    )


def _within(
    inside: Flags | None, shape: tuple[int, int], values: ArrayLike, dtype: type[np.generic]
) -> torch.Tensor:
    """The values in slots that hold a token, 0 in others."""
    made = np.empty(shape, dtype)
    made[:] = values
    if inside is not None:
        np.copyto(made, 0, where=~inside)
    return torch.from_numpy(made)


def _moved(questions: Questions, layout: Layout) -> Asked:
    """The questions in the slots of the rows."""
    counts, own = questions.counts, np.arange(layout.rows)
    sequences = np.repeat(own, counts)
    by = (layout.row - own) * layout.width
    shares = (1 / np.maximum(counts, 1)).astype(np.float32)
    return Asked(
        slots=torch.from_numpy(questions.slots + by[sequences]),
        answers=torch.from_numpy(questions.answers),
        sequences=torch.from_numpy(sequences),
        shares=torch.from_numpy(shares[sequences]),
    )


def _asked(answers: NDArray[np.generic], slots: Numbers, lengths: Numbers) -> Asked:
    picked = np.flatnonzero(np.asarray(answers, np.int64) >= 0)
    sequences = np.repeat(np.arange(len(lengths)), lengths)[picked]
    counts = np.bincount(sequences, minlength=len(lengths))
    return Asked(
        slots=torch.from_numpy(slots[picked]),
        answers=torch.from_numpy(answers[picked].astype(np.int64)),
        sequences=torch.from_numpy(sequences),
        shares=torch.from_numpy((1 / counts[sequences]).astype(np.float32)),
    )


class _Fill:
    """Scatters a value per token [T] to its slot of the rows [R, W]; other slots are 0."""

    __slots__ = ("_layout", "_slots")

    def __init__(self, layout: Layout, slots: Numbers) -> None:
        self._layout, self._slots = layout, slots

    def __call__(self, values: NDArray[np.generic], dtype: type[np.generic]) -> torch.Tensor:
        flat = np.zeros(self._layout.rows * self._layout.width, dtype)
        flat[self._slots] = values
        return torch.from_numpy(flat.reshape(self._layout.rows, self._layout.width))


def _tensor(values: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))


def micro_batches(  # noqa: PLR0913  (six numbers that mean nothing apart)
    step: int, *, global_batch: int, micro_batch: int, total: int, rank: int, world: int
) -> tuple[range | None, ...]:
    """The positions of each micro-batch of this rank in an optimizer step (from 0).

    Step s covers positions s * global_batch up to the next step's or `total`. They are cut into
    micro-batches of `micro_batch`, whatever the world; rank r computes number r, r + world, ...
    Every rank gets equally many; None where it has nothing to do.
    """
    start = step * global_batch
    stop = min(start + global_batch, total)
    cuts = range(start, stop, micro_batch)
    rounds = -(-len(cuts) // world)
    numbers = (rank + turn * world for turn in range(rounds))
    return tuple(
        range(cuts[i], min(cuts[i] + micro_batch, stop)) if i < len(cuts) else None for i in numbers
    )


def sequential(  # noqa: PLR0913  (the contract of evaluation and prediction)
    shards: Shards, *, rank: int, world: int, tokens: int, width: int, packing: bool
) -> Iterator[Batch]:
    """The batches of this rank in a pass over the shards: every row on exactly one rank.

    Rows of like length come together, longest first, at most `tokens` slots per batch (one row at
    least). Every rank gets equally many batches as long as there are enough rows for that.
    """
    for group in dealt(shards.lengths, tokens=tokens, world=world)[rank::world]:
        yield collate(shards, group, keys=None, width=width, packing=packing)


def dealt(lengths: NDArray[np.int32], *, tokens: int, world: int) -> list[Numbers]:
    """Row numbers in groups of at most `tokens` slots; a multiple of `world` where rows suffice."""
    by_length = np.argsort(-lengths.astype(np.int64), kind="stable")
    sizes: list[int] = lengths[by_length].tolist()
    starts, longest = [0], sizes[0]
    for i, size in enumerate(sizes):
        if i > starts[-1] and (i - starts[-1] + 1) * longest > tokens:
            starts.append(i)
            longest = size
    groups = np.split(by_length, starts[1:])
    while len(groups) % world and max(len(group) for group in groups) > 1:
        widest = max(range(len(groups)), key=lambda g: len(groups[g]))
        groups[widest : widest + 1] = np.array_split(groups[widest], 2)
    return groups
