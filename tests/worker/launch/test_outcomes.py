from __future__ import annotations

from dataclasses import replace

import pytest

from graft_api.progress import Termination
from graft_worker.run.launch import alone
from graft_worker.run.outcomes import Ended, Killed, cause, exit_code, spoken

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


KILLED = Ended(rank=1, code=-9)


@pytest.mark.parametrize(
    ("worker", "message", "hint"),
    [
        pytest.param(
            replace(KILLED, memory_sufficed=True),
            "was ended by SIGKILL and left no message",
            "no process was out of memory: somebody or",
            id="nobody lacked memory",
        ),
        pytest.param(
            KILLED,
            "was ended by SIGKILL and left no message",
            "most often the machine was out of memory: ask",
            id="somebody did, or nobody knows",
        ),
        pytest.param(
            replace(KILLED, memory_sufficed=True, killed=Killed.LATE),
            "was asked to stop, took too long and was killed",
            "the newest checkpoint is whole; a longer grace period",
            id="the launcher, after a stop",
        ),
        pytest.param(
            replace(KILLED, memory_sufficed=True, killed=Killed.FORSAKEN),
            "waited for another node, which is silent, and was killed",
            "the newest checkpoint is whole; see",
            id="the launcher, since it waited in vain",
        ),
        pytest.param(
            replace(KILLED, killed=Killed.HUNG),
            "stood still and was killed",
            "the stacks say",
            id="the launcher, since it hung",
        ),
    ],
)
def test_who_killed_a_worker_is_told(worker: Ended, message: str, hint: str) -> None:
    words = spoken(worker)
    assert words.message == f"worker 1 {message}"
    assert words.hint.startswith(hint)


def test_whom_the_launcher_ended_or_memory_failed_was_not_killed_from_outside() -> None:
    fed = replace(KILLED, memory_sufficed=True)
    assert fed.killed_from_outside
    others = (KILLED, replace(fed, killed=Killed.LATE), replace(fed, code=-11))
    assert not any(other.killed_from_outside for other in others)


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
