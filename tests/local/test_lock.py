"""One run at a time, shown with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from graft_api.errors import StoreError
from graft_worker.local.lock import locked

# A run that starts a worker, says its process id and waits to be killed.
RUN = """
import subprocess, sys, time
from pathlib import Path
from graft_worker.local.lock import locked

with locked(Path(sys.argv[1])) as lock:
    worker = subprocess.Popen([sys.executable, "-c", sys.argv[2]], stdout=subprocess.PIPE,
                              pass_fds=(lock.descriptor,), start_new_session=True)
    lock.note_worker(worker.pid)
    worker.stdout.readline()
    print(worker.pid, flush=True)
    time.sleep(600)
"""
WORKER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WORKER}"


@contextmanager
def running(folder: Path, worker: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A run that holds the folder, and the process id of its worker."""
    command = [sys.executable, "-c", RUN, str(folder), worker]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        try:
            yield process, pid
        finally:
            process.kill()
            end(pid)


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def test_a_second_run_is_refused_and_told_whom_to_wait_for(tmp_path: Path) -> None:
    with (
        running(tmp_path, WORKER) as (process, _),
        pytest.raises(StoreError) as refused,
        locked(tmp_path),
    ):
        pytest.fail("two runs at once")
    assert refused.value.message == f"{tmp_path}: process {process.pid} is at work on this job"
    assert refused.value.hint == (
        f"wait for it, or stop it (it saves a checkpoint first): kill {process.pid}"
    )


def test_the_worker_of_a_killed_run_is_stopped_and_the_folder_taken(tmp_path: Path) -> None:
    with running(tmp_path, WORKER) as (process, worker):
        process.kill()
        process.wait()
        os.kill(worker, 0)  # the worker has outlived its run
        with locked(tmp_path) as lock:
            assert os.pread(lock.descriptor, 64, 0).decode() == str(os.getpid())


def test_a_worker_that_does_not_stop_keeps_the_folder(tmp_path: Path) -> None:
    with running(tmp_path, STUBBORN) as (process, worker):
        process.kill()
        process.wait()
        refused = pytest.raises(StoreError, match=f"process {worker} is at work")
        with refused, locked(tmp_path, patience=0.3):
            pytest.fail("two runs at once")


def test_the_folder_is_free_afterwards(tmp_path: Path) -> None:
    with locked(tmp_path):
        pass
    with locked(tmp_path) as lock:
        assert lock.descriptor > 2


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("")
    refused = pytest.raises(StoreError, match=r"jobs/a/\.lock: cannot be written")
    with refused, locked(tmp_path / "jobs" / "a"):
        pytest.fail("there is no folder")
