from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from graft_worker.run.signs import Signs, hopeless

START = datetime(2026, 1, 1, tzinfo=UTC)


def seen(*moments: tuple[float, int]) -> Signs:
    """What one node had shown at those moments: the number of its sign."""
    signs = Signs(every=1.0)
    for moment, number in moments:
        signs.note({"a": START + timedelta(seconds=number)}, moment)
    return signs


@pytest.mark.parametrize(
    ("moments", "silent"),
    [
        pytest.param((), 0.0, id="no other node"),
        pytest.param(((0.0, 1), (2.0, 2)), 0.0, id="it goes on"),
        pytest.param(((0.0, 1), (3.0, 1)), 0.0, id="three signs are missing"),
        pytest.param(((0.0, 1), (4.0, 1)), 4.0, id="it shows the same for longer"),
        pytest.param(((0.0, 1), (9.0, 2)), 0.0, id="nobody looked, and it goes on"),
    ],
)
def test_a_node_is_silent_when_its_stamp_stays(
    moments: tuple[tuple[float, int], ...], silent: float
) -> None:
    assert seen(*moments).silent == silent


def test_who_is_struck_off_goes_on_being_silent_until_the_next_round() -> None:
    signs = seen((0.0, 1))
    signs.note({}, 4.0)
    assert signs.silent == 4.0
    signs.clear()
    assert signs.silent == 0.0


@pytest.mark.parametrize(
    ("moments", "idle", "expected"),
    [
        pytest.param(((0.0, 1), (4.0, 1)), 6.0, True, id="silent, and no step for long"),
        pytest.param(((0.0, 1), (4.0, 1)), 4.0, False, id="a save may still be written"),
        pytest.param(((0.0, 1), (4.0, 2)), 60.0, False, id="all live: a long validation"),
        pytest.param((), 60.0, False, id="no other node"),
    ],
)
def test_who_cannot_save_any_more_is_not_waited_for(
    moments: tuple[tuple[float, int], ...], idle: float, expected: bool
) -> None:
    assert hopeless(seen(*moments), idle=idle, allowed=5.0) is expected
