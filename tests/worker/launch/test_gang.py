from __future__ import annotations

import os
import signal
from dataclasses import replace

import psutil
import pytest

from graft_api.progress import Termination
from tests.worker.launch.conftest import Launchers
from tests.worker.launch.worker import starts
from tests.worker.waiting import until

KILLED = "no process was out of memory: somebody or something outside of the training killed it"


@pytest.fixture(params=["programs", "forked"])
def launchers(launchers: Launchers, request: pytest.FixtureRequest) -> Launchers:
    """Workers start as programs, or are forked in a nursery: nothing else may differ."""
    return replace(launchers, told={"NURSERY": "1"} if request.param == "forked" else {})


def failed(code: int, message: str, *, hint: str = "the end of its log says more") -> Termination:
    return Termination(
        state="Failed",
        failure_class="InfrastructureError" if code > 128 else "UserError",
        exit_code=code,
        rank=1,
        message=message,
        hint=hint,
    )


BAD_DATA = Termination(
    state="Failed",
    failure_class="DataError",
    exit_code=65,
    rank=1,
    message="train.tsv:3: no label",
    hint="give it one",
)


@pytest.mark.parametrize(
    ("actions", "code", "words"),
    [
        pytest.param("exit:0 exit:0", 0, None, id="all are done"),
        pytest.param(
            "wait exit:1",
            1,
            failed(1, "worker 1 ended with exit code 1 and left no message"),
            id="code 1 of user code",
        ),
        pytest.param(
            "wait exit:3",
            3,
            failed(3, "worker 1 ended with exit code 3 and left no message"),
            id="a code of user code that has no meaning here",
        ),
        pytest.param("wait data", 65, BAD_DATA, id="bad data, with the worker's own words"),
        pytest.param(
            "wait kill",
            137,
            failed(137, "worker 1 was ended by SIGKILL and left no message", hint=KILLED),
            id="a worker that was killed",
        ),
    ],
)
def test_the_launcher_ends_as_the_first_worker_that_failed(
    launchers: Launchers, actions: str, code: int, words: Termination | None
) -> None:
    launchers.start(actions)
    assert launchers.wait() == code
    assert launchers.words() == words
    assert len(starts(launchers.folder)) == 2
    assert starts(launchers.folder, alive=True) == []


def test_a_worker_that_still_saves_is_not_disturbed_by_one_that_has_stopped(
    launchers: Launchers,
) -> None:
    launchers.start("save exit:75")
    assert launchers.wait() == 75
    assert (launchers.folder / "saved").exists()
    assert launchers.words() == Termination(state="Stopped", exit_code=75)


def test_sigterm_stops_all_workers_and_ends_with_the_reserved_code(launchers: Launchers) -> None:
    launcher = launchers.start("wait wait")
    until(lambda: len(starts(launchers.folder)) == 2)
    os.kill(launcher, signal.SIGTERM)
    assert launchers.wait() == 75
    words = launchers.words()
    assert words
    assert (words.state, words.exit_code, words.message) == ("Stopped", 75, "stopped by SIGTERM")
    assert starts(launchers.folder, alive=True) == []


def test_a_save_that_fails_on_sigterm_is_no_orderly_stop(launchers: Launchers) -> None:
    launcher = launchers.start("wait full")
    until((launchers.folder / "working").exists)
    os.kill(launcher, signal.SIGTERM)
    assert launchers.wait() == 74
    words = launchers.words()
    assert words
    assert (words.failure_class, words.message) == ("InfrastructureError", "no space left")


def test_who_does_not_stop_in_time_is_told_of(launchers: Launchers) -> None:
    launcher = launchers.start("wait stay", TORCH_ELASTIC_SHUTDOWN_TIMEOUT="1")
    until((launchers.folder / "working").exists)
    os.kill(launcher, signal.SIGTERM)
    assert launchers.wait() == 137
    words = launchers.words()
    assert words
    assert words.message == "worker 1 was asked to stop, took too long and was killed"


def test_a_launcher_that_is_killed_leaves_no_orphans(launchers: Launchers) -> None:
    launcher = launchers.start("wait wait")
    until(lambda: len(starts(launchers.folder)) == 2)
    family = psutil.Process(launcher).children(recursive=True)
    os.kill(launcher, signal.SIGKILL)
    assert launchers.wait() == -signal.SIGKILL
    until(lambda: not any(process.is_running() for process in family))


@pytest.mark.parametrize(
    ("code", "ends", "times"),
    [
        pytest.param(3, 0, 2, id="user code is started again"),
        pytest.param(64, 64, 1, id="a wrong configuration is not"),
        pytest.param(65, 65, 1, id="bad data is not"),
        pytest.param(69, 69, 1, id="a world too small is the operator's to mend"),
        pytest.param(71, 71, 1, id="a bad node is not"),
        pytest.param(74, 74, 1, id="a full store is not"),
        pytest.param(75, 75, 1, id="a stop on request is not"),
    ],
)
def test_only_what_a_restart_can_mend_is_restarted(
    launchers: Launchers, code: int, ends: int, times: int
) -> None:
    launchers.start(f"first:{code} first:{code}", PET_MAX_RESTARTS="1")
    assert launchers.wait() == ends
    assert len(starts(launchers.folder)) == 2 * times


def test_the_same_failure_twice_after_one_step_is_the_last(launchers: Launchers) -> None:
    launchers.start("step:3", PET_MAX_RESTARTS="5")
    assert launchers.wait() == 3
    assert len(starts(launchers.folder)) == 2
    words = launchers.words()
    assert words
    assert (words.failure_class, words.step) == ("UserError", 3)
    assert words.message.startswith("the same failure twice after step 3: worker 0 ended with exit")


def test_a_worker_that_is_killed_from_outside_is_started_again_at_the_same_step(
    launchers: Launchers,
) -> None:
    launchers.start("snatched:3", PET_MAX_RESTARTS="5")
    assert launchers.wait() == 0
    assert len(starts(launchers.folder)) == 4


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        pytest.param(
            {"PET_NNODES": "2:1", "PET_RDZV_ENDPOINT": "localhost:0", "PET_RDZV_BACKEND": "c10d"},
            "PET_ variables: min_nodes must be > 0 and <= max_nodes, got min_nodes=2, max_nodes=1",
            id="fewer nodes at most than at least",
        ),
        pytest.param(
            {"PET_MAX_RESTARTS": "often"},
            "PET_ variables: argument --max-restarts/--max_restarts: invalid int value: 'often'",
            id="no number",
        ),
        pytest.param(
            {"PET_NNODES": "1:2", "PET_RDZV_BACKEND": "c10d"},
            "PET_ variables: PET_RDZV_ENDPOINT is missing: nodes meet at the rendezvous store",
            id="several nodes without a place to meet",
        ),
    ],
)
def test_variables_that_cannot_be_used_are_named(
    launchers: Launchers, environ: dict[str, str], message: str
) -> None:
    launchers.start("exit:0", **environ)
    assert launchers.wait() == 64
    words = launchers.words()
    assert words
    assert (words.failure_class, words.message) == ("ConfigError", message)
