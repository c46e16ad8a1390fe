from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil
import pytest
from torch.distributed import TCPStore

from graft_api.progress import Termination
from graft_worker.report import termination
from graft_worker.run import clocks
from tests.worker.launch.worker import starts
from tests.worker.waiting import until

KILLED = (
    "most often the machine was out of memory: ask for more, or for less with a smaller "
    "training.microBatch or data.maxLength"
)


@dataclass(slots=True)
class Launchers:
    server: subprocess.Popen[str]
    folder: Path = field(default_factory=Path)

    def start(self, actions: str, **environ: str) -> int:
        """The process id of a launcher of as many workers as there are actions."""
        assert self.server.stdin
        told = {
            "FOLDER": str(self.folder),
            "ACTIONS": actions,
            "PET_NPROC_PER_NODE": str(len(actions.split())),
            "OMP_NUM_THREADS": "1",
            "GRAFT_TERMINATION_FILE": str(self.folder / "termination.json"),
        }
        self.server.stdin.write(json.dumps(told | environ) + "\n")
        self.server.stdin.flush()
        return self._number()

    def wait(self) -> int:
        """The exit code of the launcher started last."""
        return self._number()

    def words(self) -> Termination | None:
        return termination.read(self.folder / "termination.json")

    def _number(self) -> int:
        assert self.server.stdout
        return int(self.server.stdout.readline())


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("launchers.py"))],
        env=os.environ | {"PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


@pytest.fixture
def launchers(server: subprocess.Popen[str], tmp_path: Path) -> Launchers:
    return Launchers(server, tmp_path)


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
    until(lambda: len(starts(launchers.folder)) == 2)
    os.kill(launcher, signal.SIGTERM)
    assert launchers.wait() == 74
    words = launchers.words()
    assert words
    assert (words.failure_class, words.message) == ("InfrastructureError", "no space left")


def test_a_launcher_that_is_killed_leaves_no_orphans(launchers: Launchers) -> None:
    launcher = launchers.start("wait wait")
    until(lambda: len(starts(launchers.folder)) == 2)
    os.kill(launcher, signal.SIGKILL)
    assert launchers.wait() == -signal.SIGKILL
    until(lambda: starts(launchers.folder, alive=True) == [])


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


def test_too_few_nodes_in_time_is_a_world_too_small(launchers: Launchers) -> None:
    launchers.start(
        "exit:0",
        PET_NNODES="2:2",
        PET_RDZV_BACKEND="c10d",
        PET_RDZV_ENDPOINT="localhost:0",
        PET_RDZV_ID="alone",
        PET_RDZV_CONF="join_timeout=1",
    )
    assert launchers.wait() == 69
    words = launchers.words()
    assert words
    assert words.message == "fewer than 2 nodes came to localhost:0 in time"
    assert starts(launchers.folder) == []


def status(folder: Path, path: str) -> int:
    """How the launcher that announced its port in the folder answers; 0 before it does."""
    try:
        port = json.loads((folder / "port.json").read_text())["port"]
        with urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.status or 0
    except (FileNotFoundError, URLError):
        return 0


def test_a_launcher_is_ready_when_its_workers_run(launchers: Launchers) -> None:
    launcher = launchers.start("wait wait", GRAFT_JOB_DIR=str(launchers.folder))
    until(lambda: status(launchers.folder, "/ready") == 200)
    until(lambda: len(starts(launchers.folder, alive=True)) == 2)
    assert status(launchers.folder, "/progress") == 503  # nothing is reported yet
    os.kill(launcher, signal.SIGTERM)
    assert launchers.wait() == 75


def test_a_launcher_that_waits_for_other_nodes_is_not_ready(launchers: Launchers) -> None:
    launcher = launchers.start(
        "exit:0",
        GRAFT_JOB_DIR=str(launchers.folder),
        PET_NNODES="2:2",
        PET_RDZV_BACKEND="c10d",
        PET_RDZV_ENDPOINT="localhost:0",
        PET_RDZV_ID="alone",
    )
    until(lambda: status(launchers.folder, "/healthz") == 200)
    assert status(launchers.folder, "/ready") == 503
    os.kill(launcher, signal.SIGTERM)
    assert launchers.wait() == 75


def test_a_node_whose_clock_is_off_does_not_join(launchers: Launchers) -> None:
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    clocks.tell(store, time.time() - 3600)
    launchers.start(
        "exit:0",
        PET_NNODES="1:2",
        PET_RDZV_BACKEND="c10d",
        PET_RDZV_ENDPOINT=f"127.0.0.1:{store.port}",
        PET_RDZV_ID="skewed",
        PET_RDZV_CONF="is_host=false,keep_alive_interval=5,keep_alive_max_attempt=3",
    )
    assert launchers.wait() == 71
    words = launchers.words()
    assert words
    assert words.failure_class == "InfrastructureError"
    assert words.message.startswith(f"the clock of node {socket.gethostname()} is 3")
    assert words.message.endswith(
        " s ahead of the rendezvous store's, and nodes count as dead after 15 s"
    )
    assert starts(launchers.folder) == []


def test_sigterm_while_waiting_for_other_nodes_is_an_orderly_stop(launchers: Launchers) -> None:
    launcher = launchers.start(
        "exit:0",
        PET_NNODES="2:2",
        PET_RDZV_BACKEND="c10d",
        PET_RDZV_ENDPOINT="localhost:0",
        PET_RDZV_ID="alone",
    )
    until(lambda: psutil.Process(launcher).net_connections("tcp"))  # it is at the rendezvous
    os.kill(launcher, signal.SIGTERM)
    assert launchers.wait() == 75
    words = launchers.words()
    assert words
    assert (words.state, words.message) == ("Stopped", "stopped by SIGTERM")
