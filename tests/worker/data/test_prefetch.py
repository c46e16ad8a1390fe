"""Work ahead in a thread: order, errors and an early end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from graft_worker.data.prefetch import Prefetcher


def test_items_come_in_order() -> None:
    with Prefetcher(iter(range(100)), depth=3) as items:
        assert list(items) == list(range(100))
        assert next(items, "end") == "end"


def test_an_error_comes_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("row 2 is bad")

    with Prefetcher(broken()) as items:
        assert next(items) == 1
        with pytest.raises(ValueError, match="row 2 is bad"):
            next(items)
        assert next(items, "end") == "end"


def test_no_more_than_depth_items_are_made_ahead() -> None:
    made: list[int] = []
    third = threading.Event()

    def counting() -> Iterator[int]:
        for i in range(10):
            made.append(i)
            if i == 2:
                third.set()
            yield i

    with Prefetcher(counting(), depth=2) as items:
        assert next(items) == 0
        assert third.wait(60)
        # One is taken, two wait: the fourth may not be begun before another is taken.
        assert made == [0, 1, 2]


def test_closing_early_ends_the_thread() -> None:
    before = threading.active_count()
    endless = Prefetcher(iter(int, 1), depth=2)
    assert next(endless) == 0
    endless.close()
    assert threading.active_count() == before
    assert next(endless, "end") == "end"


def test_items_are_made_in_another_thread() -> None:
    with Prefetcher(threading.current_thread() for _ in range(1)) as items:
        assert next(items) is not threading.current_thread()
