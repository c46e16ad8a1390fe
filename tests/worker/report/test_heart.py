from __future__ import annotations

import pytest

from graft_worker.report.board import Board, Pulse
from graft_worker.report.heart import Heart, patience


@pytest.mark.parametrize(
    ("wish", "collective", "long", "seconds"),
    [
        pytest.param(None, 0.0, 2.0, 120.0, id="short steps: two minutes"),
        pytest.param(None, 0.0, 60.0, 300.0, id="long steps: five of them"),
        pytest.param(None, 120.0, 2.0, 180.0, id="peers notice first that one is gone"),
        pytest.param(7.0, 120.0, 60.0, 7.0, id="the job's own number"),
    ],
)
def test_patience_follows_the_steps(
    wish: float | None, collective: float, long: float, seconds: float
) -> None:
    assert patience(wish, collective=collective)(long) == seconds


def test_the_clock_of_steps_begins_with_the_first_and_ends_with_the_last() -> None:
    board, now = Board.alone(), 5.0
    heart = Heart(board, lambda long: 10 * long, clock=lambda: now)
    heart.again()
    assert board.pulses() == (Pulse(),)
    heart.beat(1, long=2.0)
    assert board.pulses() == (Pulse(step=1, moment=5.0, patience=20.0),)
    now = 9.0
    heart.again()
    assert board.pulses() == (Pulse(step=1, moment=9.0, patience=20.0),)
    heart.rest(2)
    heart.again()
    assert board.pulses() == (Pulse(step=2, moment=9.0, patience=0.0),)
    assert heart.step == 2
