"""Packing never overlaps, packed equals padded, every position is in just one micro-batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from graft_worker.data import batches, order, packing
from graft_worker.data.batch import Batch
from graft_worker.data.packing import Layout
from tests.worker.data import blocks_of

LENGTHS = st.lists(st.integers(1, 64), min_size=1, max_size=80)


@settings(deadline=None, max_examples=100)
@given(lengths=LENGTHS, width=st.integers(64, 130))
def test_sequences_in_a_row_do_not_overlap_and_do_not_leave_it(
    lengths: list[int], width: int
) -> None:
    for layout in (
        packing.first_fit(np.array(lengths), width=width),
        packing.packed(np.array(lengths), width=width),
        packing.padded(np.array(lengths)),
    ):
        taken = np.zeros((layout.rows, layout.width), int)
        for i, size in enumerate(lengths):
            assert layout.start[i] + size <= layout.width
            taken[layout.row[i], layout.start[i] : layout.start[i] + size] += 1
        assert taken.max() == 1
        assert taken.sum() == sum(lengths)
        assert segments_count_from_one(layout)


def segments_count_from_one(layout: Layout) -> bool:
    rows = [sorted(layout.segment[layout.row == r].tolist()) for r in range(layout.rows)]
    return all(found == list(range(1, len(found) + 1)) for found in rows)


@settings(deadline=None, max_examples=100)
@given(lengths=LENGTHS)
def test_packing_wastes_less_than_one_row_in_three(lengths: list[int]) -> None:
    layout = packing.first_fit(np.array(lengths), width=64)
    assert layout.rows <= 11 / 9 * -(-sum(lengths) // 64) * 1.5 + 1


@pytest.mark.parametrize(
    ("lengths", "shape"),
    [
        pytest.param([3, 4], (1, 8), id="few tokens share one narrow row"),
        pytest.param([60, 60, 8, 8], (3, 64), id="as wide as the longest where that is near full"),
        pytest.param([128] * 3, (3, 128), id="no wider than is allowed"),
        pytest.param([66, 62, 62, 62], (2, 128), id="wider where that wastes less"),
        pytest.param([1], (1, 8), id="at least eight slots"),
    ],
)
def test_rows_are_as_narrow_as_wastes_little(lengths: list[int], shape: tuple[int, int]) -> None:
    layout = packing.packed(np.array(lengths), width=128)
    assert (layout.rows, layout.width) == shape


def test_a_sequence_wider_than_the_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="a sequence of 130 tokens does not fit into rows of 128"):
        packing.packed(np.array([5, 130]), width=128)


def by_sequence(batch: Batch) -> list[tuple[int, ...]]:
    """What each sequence of a batch holds, token by token, wherever it stands."""
    flat = [x.reshape(-1) for x in (batch.ids, batch.positions, batch.types, batch.keys)]
    segments = batch.segments.reshape(-1)
    found = []
    for start in batch.first.tolist():
        end = start
        row_end = (start // batch.ids.shape[1] + 1) * batch.ids.shape[1]
        while end < row_end and segments[end] == segments[start]:
            end += 1
        found.append(tuple(v for x in flat for v in x[start:end].tolist()))
    return found


@settings(deadline=None, max_examples=60)
@given(lengths=LENGTHS, data=st.data())
def test_a_packed_batch_equals_a_padded_one_token_by_token(
    lengths: list[int], data: st.DataObject
) -> None:
    shards = blocks_of.shards(lengths)
    rows = st.lists(st.integers(0, len(lengths) - 1), min_size=1, max_size=40)
    ids = np.array(data.draw(rows))
    keys = order.key(1, 2, ids)
    packed = batches.collate(shards, ids, keys=keys, width=64, packing=True)
    padded = batches.collate(shards, ids, keys=keys, width=64, packing=False)
    assert by_sequence(packed) == by_sequence(padded)
    for batch in (packed, padded):
        assert batch.tokens == int((batch.segments > 0).sum()) == sum(lengths[i] for i in ids)
        assert batch.samples.tolist() == ids.tolist()
        assert batch.targets["target"].tolist() == ids.tolist()
        assert [int(f[0]) for f in by_sequence(batch)] == (1000 * ids).tolist()


def test_a_padded_batch_in_full() -> None:
    batch = batches.collate(blocks_of.shards([2, 3]), [1, 0], keys=None, width=128, packing=False)
    assert batch.ids.tolist() == [[1000, 1001, 1002, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]]
    assert batch.positions.tolist() == [[0, 1, 2, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]]
    assert batch.segments.tolist() == [[1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]]
    assert batch.types.tolist() == [[0, 0, 1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0]]
    assert batch.keys.tolist() == [[0] * 8] * 2
    assert (batch.first.tolist(), batch.samples.tolist(), batch.tokens) == ([0, 8], [1, 0], 5)
    assert {name: str(x.dtype) for name, x in tensors(batch).items()} == {
        "ids": "torch.int64",
        "positions": "torch.int64",
        "segments": "torch.int32",
        "types": "torch.int64",
        "keys": "torch.int32",
        "first": "torch.int64",
        "samples": "torch.int64",
    }


def tensors(batch: Batch) -> dict[str, torch.Tensor]:
    names = ("ids", "positions", "segments", "types", "keys", "first", "samples")
    return {name: getattr(batch, name) for name in names}


def test_what_dropout_draws_does_not_depend_on_the_company() -> None:
    shards = blocks_of.shards([5, 9, 3, 7])
    ids = np.arange(4)
    together = batches.collate(shards, ids, keys=order.key(1, 0, ids), width=64, packing=True)
    for i in ids:
        alone = batches.collate(
            shards, ids[i : i + 1], keys=order.key(1, 0, ids[i : i + 1]), width=64, packing=False
        )
        assert by_sequence(alone) == by_sequence(together)[i : i + 1]


@settings(deadline=None, max_examples=100)
@given(
    step=st.integers(0, 5),
    global_batch=st.integers(1, 40),
    micro_batch=st.integers(1, 12),
    total=st.integers(1, 200),
    world=st.integers(1, 9),
)
def test_micro_batches_cover_each_position_once_in_any_world(
    step: int, global_batch: int, micro_batch: int, total: int, world: int
) -> None:
    size = {"global_batch": global_batch, "micro_batch": micro_batch, "total": total}
    ranks = [batches.micro_batches(step, **size, rank=r, world=world) for r in range(world)]
    assert len({len(mine) for mine in ranks}) == 1
    found = [part for mine in ranks for part in mine if part is not None]
    alone = batches.micro_batches(step, **size, rank=0, world=1)
    assert sorted(found, key=lambda part: part.start) == list(alone)
    start = step * global_batch
    covered = [position for part in alone if part is not None for position in part]
    assert covered == list(range(start, min(start + global_batch, total)))


def test_micro_batches_of_two_ranks() -> None:
    size = {"global_batch": 10, "micro_batch": 4, "total": 100}
    assert batches.micro_batches(1, **size, rank=0, world=2) == (range(10, 14), range(18, 20))
    assert batches.micro_batches(1, **size, rank=1, world=2) == (range(14, 18), None)


@settings(deadline=None, max_examples=60)
@given(lengths=LENGTHS, world=st.integers(1, 5), tokens=st.integers(1, 400), packing=st.booleans())
def test_a_pass_reads_every_row_once_and_keeps_to_the_budget(
    lengths: list[int], world: int, tokens: int, packing: bool
) -> None:
    shards = blocks_of.shards(lengths)
    ranks = [
        list(
            batches.sequential(
                shards, rank=rank, world=world, tokens=tokens, width=64, packing=packing
            )
        )
        for rank in range(world)
    ]
    every = [batch for mine in ranks for batch in mine]
    assert sorted(i for b in every for i in b.samples.tolist()) == list(range(len(lengths)))
    assert all(len(b.samples) == 1 or b.tokens <= tokens for b in every)
    counts = {len(mine) for mine in ranks}
    assert len(counts) == 1 or all(len(b.samples) == 1 for b in every)


def test_like_lengths_come_together_longest_first() -> None:
    groups = batches.dealt(np.array([3, 60, 4, 58, 2], np.int32), tokens=128, world=1)
    assert [group.tolist() for group in groups] == [[1, 3], [2, 0, 4]]
