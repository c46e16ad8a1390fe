"""Where workers are forked with everything imported, instead of starting Python anew.

The launcher forks the nursery before it has any thread. While the launcher looks for its peers the
nursery imports what training needs; then it forks a worker for every order. A worker is forked
twice, and the launcher adopts it: its process id, exit code, signals and lifeline are those of a
process that the launcher started itself, and it outlives the nursery. CUDA must not be touched
before a worker is born: a forked process could not use it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Self

PATIENCE = 120.0  # seconds until a nursery is given up; it may still be importing
SET_NAME, ADOPT = 15, 36  # prctl: PR_SET_NAME, PR_SET_CHILD_SUBREAPER
NURSERY, WORKER = "graft-nursery", "graft-train"  # as `ps` and /proc/PID/comm show them

Work = Callable[[Mapping[str, str]], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A worker to come: its whole environment, and the files that its output goes to, if any."""

    environ: Mapping[str, str]
    stdout: str | None = None
    stderr: str | None = None


class Child:
    """A worker that the launcher has adopted; waited for as a `subprocess.Popen` is."""

    def __init__(self, process: int) -> None:
        self.pid = process
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code.

        Raises:
            TimeoutExpired: it runs on after `timeout` seconds.
        """
        if (code := self.poll()) is not None:
            return code
        descriptor = os.pidfd_open(self.pid)
        try:
            select.select([descriptor], [], [], timeout)
        finally:
            os.close(descriptor)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(f"worker {self.pid}", timeout or 0.0)
        return code


class Nursery:
    """The launcher's side of it."""

    def __init__(self, process: int, connection: Connection) -> None:
        self.process = process
        self._connection = connection

    @classmethod
    def found(cls, work: Work, *, preload: Callable[[], object]) -> Self | None:
        """A nursery whose workers end with the code of `work`; None where the system has no means.

        Call it while this process has a single thread. It never returns in a worker: there
        SystemExit goes through all callers.
        """
        if sys.platform != "linux" or not _control(ADOPT, 1):
            return None
        ours, theirs = Pipe()
        _flush()
        if process := os.fork():
            theirs.close()
            return cls(process, ours)
        ours.close()
        order = _awaited(theirs, preload)
        sys.exit(work(order.environ))

    def start(self, order: Order) -> Child:
        """The worker, at its first instruction.

        Raises:
            OSError, EOFError: the nursery is gone or does not answer; it is of no more use.
        """
        self._connection.send(order)
        if not self._connection.poll(PATIENCE):
            self.close()
            raise TimeoutError(f"no answer within {PATIENCE:g} s")
        return Child(self._connection.recv())

    def close(self) -> None:
        """No worker comes from here any more; those that live are not touched."""
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        self._connection.close()


def _awaited(connection: Connection, preload: Callable[[], object]) -> Order:
    """The order of this worker. The nursery itself never leaves this function."""
    try:
        _settle()
        preload()
        gc.freeze()  # a collection in a worker would copy every page that it looks at
        while True:
            order: Order = connection.recv()
            if _forked():
                break
    except EOFError:  # the launcher is gone
        os._exit(0)
    except BaseException:  # whatever the launcher had yet to do is not for this process
        os._exit(1)
    _dress(order)
    connection.send(os.getpid())
    connection.close()
    return order


def _settle() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _control(SET_NAME, NURSERY.encode())


def _forked() -> bool:
    """Whether this is the new worker, which the launcher has adopted, and not the nursery."""
    adopted, end = os.pipe()
    if (middle := os.fork()) == 0:
        os.close(end)
        if os.fork():
            os._exit(0)
        os.read(adopted, 1)  # ends when the nursery knows that the process between is gone
        os.close(adopted)
        return True
    os.close(adopted)
    _, status = os.waitpid(middle, 0)
    os.close(end)
    if status:
        raise ChildProcessError("no process could be forked")
    return False


def _dress(order: Order) -> None:
    """This process has what a subprocess of the launcher would have."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _control(SET_NAME, WORKER.encode())
    os.environ.clear()
    os.environ.update(order.environ)
    for stream, place in ((sys.stdout, order.stdout), (sys.stderr, order.stderr)):
        if place:
            with open(place, "a", encoding="utf-8") as file:
                os.dup2(file.fileno(), stream.fileno())
    sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]  # as `python -u` does


def _flush() -> None:
    sys.stdout.flush()  # what is still in the buffer would be written twice
    sys.stderr.flush()


def _control(option: int, value: Any) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(option, value, 0, 0, 0) == 0)
