"""Whom the kernel kills for want of memory is counted; others that are killed are not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graft_worker.run import oom

LIMIT = 96 << 20
TOLD = """
import os, pathlib, signal, sys
from graft_worker.run.oom import kills

def count(end):
    if not (child := os.fork()):
        end()
        os._exit(0)
    os.waitpid(child, 0)
    return kills()

pathlib.Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
killed = count(lambda: os.kill(os.getpid(), signal.SIGKILL))
starved = count(lambda: bytearray(b"x" * (512 << 20)))
print(killed, starved)
"""


@pytest.mark.parametrize(
    ("groups", "first"),
    [
        pytest.param(
            "0::/kubepods/pod1/a\n", "/sys/fs/cgroup/kubepods/pod1/a/memory.events", id="version 2"
        ),
        pytest.param("0::/\n", "/sys/fs/cgroup/memory.events", id="version 2 in a container"),
        pytest.param(
            "8:pids:/a\n4:memory:/a/b\n",
            "/sys/fs/cgroup/memory/a/b/memory.oom_control",
            id="version 1",
        ),
    ],
)
def test_a_process_is_counted_in_its_own_group(groups: str, first: str) -> None:
    assert str(next(oom.places(groups))) == first


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group of little memory, where this machine lets one be made."""
    places = oom.places(oom.GROUPS.read_text())
    now = next((path for path in places if path.exists()), None)
    if now is None:
        pytest.skip("this machine's control groups do not count memory")
    made = now.parent / f"graft-test-oom-{os.getpid()}"
    limit = {"memory.events": "memory.max", "memory.oom_control": "memory.limit_in_bytes"}[now.name]
    try:
        made.mkdir()
    except OSError as error:
        pytest.skip(f"{made}: no control group can be made here: {error.strerror}")
    try:
        if not (made / limit).exists():
            pytest.skip(f"{made}: its memory cannot be limited here")
        (made / limit).write_text(str(LIMIT))
        yield made
    finally:
        made.rmdir()


def test_whom_the_kernel_kills_for_want_of_memory_is_counted(group: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOLD, str(group)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "1"]
