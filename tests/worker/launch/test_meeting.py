"""How the launchers of a gang meet: in time, with clocks that agree, ready when they have met."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil
from torch.distributed import TCPStore

from graft_worker.run import clocks
from tests.worker.launch.conftest import Launchers
from tests.worker.launch.worker import starts
from tests.worker.waiting import until


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
