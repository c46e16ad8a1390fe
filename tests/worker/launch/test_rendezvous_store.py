from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from urllib.request import urlopen

import pytest
from torch.distributed import TCPStore

from graft_worker.run import clocks

PATIENCE = timedelta(seconds=60)


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    with closing(socket.socket()) as first, closing(socket.socket()) as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def program(store: int | str, health: int) -> subprocess.Popen[str]:
    told = {"GRAFT_RENDEZVOUS_PORT": str(store), "GRAFT_RENDEZVOUS_HEALTH_PORT": str(health)}
    return subprocess.Popen(
        [sys.executable, "-m", "graft_worker", "rendezvous"],
        env=os.environ | told,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def running(ports: tuple[int, int]) -> Iterator[subprocess.Popen[str]]:
    with program(*ports) as process:
        assert process.stderr
        entry = json.loads(process.stderr.readline())
        assert entry["message"] == "rendezvous store on port {}, /healthz on {}".format(*ports)
        yield process
        process.kill()


def connected(port: int) -> TCPStore:
    return TCPStore("127.0.0.1", port, is_master=False, timeout=PATIENCE)


def test_nodes_meet_at_a_store_that_none_of_them_hosts(
    running: subprocess.Popen[str], ports: tuple[int, int]
) -> None:
    one, other = connected(ports[0]), connected(ports[0])
    one.set("name", "graft")
    assert other.get("name") == b"graft"
    assert other.compare_set("name", "graft", "new") == b"new"


def test_the_health_port_answers(running: subprocess.Popen[str], ports: tuple[int, int]) -> None:
    with urlopen(f"http://127.0.0.1:{ports[1]}/healthz") as answer:
        assert (answer.status, answer.read()) == (200, b"ok\n")


def test_a_launcher_reads_the_time_of_the_store(
    running: subprocess.Popen[str], ports: tuple[int, int]
) -> None:
    store = connected(ports[0])
    store.wait([clocks.KEY])
    found = clocks.skew(store, limit=60)
    assert found is not None
    assert abs(found) < 60


def test_a_clock_that_is_off_stays_off_however_often_one_looks() -> None:
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    assert clocks.skew(store, limit=7.5, clock=lambda: 1100.0) is None
    clocks.tell(store, 1000.0)
    assert clocks.skew(store, limit=7.5, clock=lambda: 1100.0) == 100.0
    assert clocks.skew(store, limit=7.5, clock=lambda: 1005.0) == 5.0


def test_a_port_in_use_is_named(running: subprocess.Popen[str], ports: tuple[int, int]) -> None:
    with program(ports[0], 0) as second:
        assert second.wait(60) == 64
        assert second.stderr
        assert f"GRAFT_RENDEZVOUS_PORT={ports[0]}: cannot listen: " in second.stderr.read()


def test_what_is_no_port_is_refused() -> None:
    with program("many", 0) as refused:
        assert refused.wait(60) == 64
        assert refused.stderr
        message = json.loads(refused.stderr.read())["message"]
    assert message == "GRAFT_RENDEZVOUS_PORT='many': expected a port"


def test_sigterm_ends_the_store(running: subprocess.Popen[str], ports: tuple[int, int]) -> None:
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0
