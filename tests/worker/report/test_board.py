from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from graft_worker.report.board import Board, Pulse, SaveRequest

SIGN = Pulse(step=7, moment=1000.5, patience=120.0)


def beat(path: Path, worker: int) -> None:
    Board.open(path).beat(worker, SIGN)


def test_signs_of_other_processes_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "board"
    board = Board.create(path, workers=2)
    process = multiprocessing.get_context("spawn").Process(target=beat, args=(path, 1))
    process.start()
    process.join()
    assert board.pulses() == (Pulse(), SIGN)


def test_a_request_is_heard_once_by_every_process(tmp_path: Path) -> None:
    board = Board.create(tmp_path / "board", workers=2)
    board.ask()
    first, second = (SaveRequest(Board.open(tmp_path / "board")) for _ in range(2))
    assert not first()  # it was asked for before this process began
    board.ask()
    board.ask()
    assert (first(), first(), second(), second()) == (True, False, True, False)


def test_a_new_round_begins_without_signs_and_keeps_the_requests() -> None:
    board = Board.alone()
    board.ask()
    board.beat(0, SIGN)
    board.clear()
    assert (board.pulses(), board.requests) == ((Pulse(),), 1)


@pytest.mark.parametrize(
    ("pulse", "overdue"),
    [
        pytest.param(SIGN, 129.5, id="longer ago than its patience"),
        pytest.param(Pulse(step=7, moment=1010.0, patience=120.0), 0.0, id="just in time"),
        pytest.param(Pulse(step=7, moment=1.0), 0.0, id="without patience there is no deadline"),
    ],
)
def test_a_sign_is_overdue_after_its_patience(pulse: Pulse, overdue: float) -> None:
    assert pulse.overdue(1130.0) == overdue
