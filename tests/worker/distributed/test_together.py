"""Work of different length in the processes of a gang: none takes another for lost."""

from __future__ import annotations

import threading

import pytest

from graft_worker.distributed.process import Process
from graft_worker.distributed.together import together
from tests.worker.distributed import gang


def work(process: Process) -> tuple[int, int]:
    """The rank and the number of signs; rank 0 works until two have been exchanged."""
    signs: list[int] = []
    enough = threading.Event()

    def own() -> int:
        if process.leads:
            assert enough.wait(60)
        return process.rank

    def alive() -> None:
        signs.append(1)
        if len(signs) == 2:
            enough.set()

    return together(process, own, alive=alive), len(signs)


def test_all_go_on_when_the_last_is_done() -> None:
    first, second = gang.run(2, work)
    assert first == (0, first[1])
    assert first[1] >= 2
    assert second == (1, first[1])


def test_what_the_work_raises_is_raised() -> None:
    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        together(Process(), fails, alive=lambda: None)
