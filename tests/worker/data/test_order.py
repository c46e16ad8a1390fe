"""The order of samples: a permutation per epoch, a function of the seed and the place alone."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from graft_worker.data import order
from graft_worker.data.selections import Cut

SIZES = st.integers(1, 3000)
SEEDS = st.integers(0, 2**31)


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, epoch=st.integers(0, 100), n=SIZES)
def test_an_epoch_is_a_permutation(seed: int, epoch: int, n: int) -> None:
    found = order.order(seed, epoch, np.arange(n), n)
    assert sorted(found.tolist()) == list(range(n))


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, n=SIZES, start=st.integers(0, 10_000), count=st.integers(1, 60))
def test_a_window_of_the_stream_does_not_depend_on_where_it_is_cut(
    seed: int, n: int, start: int, count: int
) -> None:
    epochs, ids = order.samples_at(seed, start, count, n)
    singles = [order.samples_at(seed, start + i, 1, n) for i in range(count)]
    assert epochs.tolist() == [int(e[0]) for e, _ in singles]
    assert ids.tolist() == [int(i[0]) for _, i in singles]


def test_known_values_stay_what_they_are() -> None:
    """A checkpoint names a position only, so a resumed run needs the very same order."""
    assert order.order(42, 0, np.arange(10), 10).tolist() == [7, 8, 9, 5, 0, 4, 2, 1, 3, 6]
    assert int(order.key(42, 1, 7)) == 4990530648483828309
    keys = order.key(42, 0, np.arange(2))
    assert order.token_keys(keys, np.array([2, 1])).tolist() == [
        -1269997896,
        958541309,
        -1973071375,
    ]


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {tuple(order.order(s, e, np.arange(50), 50)) for s in range(4) for e in range(4)}
    assert len(orders) == 16


def test_the_order_of_the_parts_of_a_key_counts() -> None:
    assert order.key(1, 2) != order.key(2, 1)


def test_a_key_of_arrays_is_the_keys_of_their_numbers() -> None:
    epochs, ids = np.array([0, 0, 1]), np.array([5, 6, 5])
    expected = [int(order.key(9, e, i)) for e, i in zip(epochs.tolist(), ids.tolist(), strict=True)]
    assert order.key(9, epochs, ids).tolist() == expected


def test_places_count_from_zero_in_every_sequence() -> None:
    assert order.places_of(np.array([3, 1, 2])).tolist() == [0, 1, 2, 0, 0, 1]


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, rows=st.integers(2, 5000), fraction=st.floats(0.001, 0.999))
def test_a_cut_deals_every_row_to_one_side_and_exactly_so_many(
    seed: int, rows: int, fraction: float
) -> None:
    train = Cut(fraction=fraction, seed=seed, side="train").takes(np.arange(rows), rows)
    held = Cut(fraction=fraction, seed=seed, side="validation").takes(np.arange(rows), rows)
    assert (train ^ held).all()
    assert held.sum() == min(max(round(rows * fraction), 1), rows - 1)
