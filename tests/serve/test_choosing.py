"""The next batch: the oldest text and those like it, within the budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft_worker.serve.choosing import slots, together


@pytest.mark.parametrize(
    ("lengths", "most", "tokens", "chosen"),
    [
        pytest.param([5], 32, 512, (0,), id="one waits: it goes at once"),
        pytest.param([5, 6, 7], 32, 512, (0, 1, 2), id="all fit"),
        pytest.param([5, 6, 7], 2, 512, (0, 1), id="no more than may be in a batch"),
        pytest.param([9, 500, 10], 32, 64, (0, 2), id="one unlike the oldest waits for its turn"),
        pytest.param([500, 9, 490, 10], 32, 1024, (0, 2), id="a long one takes long ones along"),
        pytest.param([900, 9, 10], 32, 512, (0,), id="one over the budget goes alone"),
        pytest.param([8, 8, 8, 8], 32, 24, (0, 1, 2), id="of equals the older ones"),
        pytest.param([9, 16, 17], 32, 48, (0, 1), id="widths are multiples of eight"),
        pytest.param([8, 9, 7], 32, 16, (0,), id="one that widens the others counts for all"),
    ],
)
def test_the_next_batch(
    lengths: list[int], most: int, tokens: int, chosen: tuple[int, ...]
) -> None:
    assert together(lengths, most=most, tokens=tokens) == chosen


@given(
    lengths=st.lists(st.integers(1, 512), min_size=1, max_size=60),
    most=st.integers(1, 40),
    tokens=st.integers(1, 2048),
)
def test_the_oldest_is_always_served_and_the_budget_always_kept(
    lengths: list[int], most: int, tokens: int
) -> None:
    chosen = together(lengths, most=most, tokens=tokens)
    assert chosen[0] == 0
    assert len(set(chosen)) == len(chosen) <= most
    width = max(slots(lengths[place]) for place in chosen)
    assert len(chosen) == 1 or width * len(chosen) <= tokens


@given(lengths=st.lists(st.integers(1, 512), min_size=1, max_size=60))
def test_who_waits_is_served_after_as_many_batches_as_were_before_him_at_most(
    lengths: list[int],
) -> None:
    waiting, turns = list(enumerate(lengths)), 0
    while waiting:
        turns += 1
        chosen = together([length for _, length in waiting], most=32, tokens=512)
        assert all(number >= turns - 1 for number, _ in waiting)
        waiting = [each for place, each in enumerate(waiting) if place not in chosen]
    assert turns <= len(lengths)
