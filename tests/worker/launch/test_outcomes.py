from __future__ import annotations

import pytest

from graft_api.progress import Termination
from graft_worker.run.launch import alone
from graft_worker.run.outcomes import Ended, cause, exit_code, spoken

LOST = Termination(
    state="Failed", failure_class="InfrastructureError", exit_code=1, message="lost peers"
)
WRONG = Termination(state="Failed", failure_class="UserError", exit_code=1, message="ValueError")


def failed(rank: int, words: Termination, *, moment: int) -> Ended:
    return Ended(rank=rank, code=1, words=words, moment=moment)


@pytest.mark.parametrize(
    ("ended", "rank"),
    [
        pytest.param(
            [failed(0, WRONG, moment=9), failed(1, WRONG, moment=5)],
            1,
            id="the earliest words count",
        ),
        pytest.param(
            [failed(0, LOST, moment=5), failed(1, WRONG, moment=9)],
            1,
            id="losing a peer is no cause where another failed by itself",
        ),
        pytest.param(
            [failed(0, LOST, moment=5), Ended(rank=1, code=-9)],
            1,
            id="a killed worker leaves no words and is the cause",
        ),
        pytest.param(
            [failed(2, LOST, moment=7), failed(3, LOST, moment=6)],
            3,
            id="where all lost peers of another node the first counts",
        ),
    ],
)
def test_the_cause_is_the_first_that_failed_by_itself(ended: list[Ended], rank: int) -> None:
    assert cause(ended).rank == rank


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        pytest.param(0, 0, id="done"),
        pytest.param(75, 75, id="stopped"),
        pytest.param(-9, 137, id="killed"),
        pytest.param(-11, 139, id="a segmentation fault"),
    ],
)
def test_signals_are_told_as_shells_do(code: int, shown: int) -> None:
    assert exit_code(code) == shown


def test_words_of_an_earlier_code_are_not_believed() -> None:
    assert spoken(Ended(rank=1, code=-11, words=WRONG, moment=1)) == Termination(
        state="Failed",
        failure_class="InfrastructureError",
        exit_code=139,
        rank=1,
        message="worker 1 was ended by SIGSEGV and left no message",
        hint="the end of its log says more",
    )


@pytest.mark.parametrize(
    ("fed", "hint"),
    [
        pytest.param(True, "no process was out of memory: somebody or", id="nobody lacked memory"),
        pytest.param(False, "most often the machine was out of memory: ask", id="somebody did"),
    ],
)
def test_who_may_have_killed_a_worker_is_told(fed: bool, hint: str) -> None:
    worker = Ended(rank=1, code=-9, fed=fed)
    assert worker.taken is fed
    assert spoken(worker).hint.startswith(hint)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, True, id="nothing said is one process, as torchrun has it"),
        pytest.param({"PET_NNODES": "1:1", "PET_NPROC_PER_NODE": "1"}, True, id="one of one"),
        pytest.param({"PET_NNODES": "1:2"}, False, id="a gang that may grow"),
        pytest.param({"PET_NPROC_PER_NODE": "2"}, False, id="two processes of one node"),
        pytest.param({"PET_NPROC_PER_NODE": "auto"}, False, id="as many as there are devices"),
        pytest.param({"PET_RDZV_ENDPOINT": "s:29400"}, False, id="somebody is waiting for it"),
    ],
)
def test_a_world_of_one_needs_no_launcher(environ: dict[str, str], expected: bool) -> None:
    assert alone(environ) is expected
