"""One run at a time in a job's folder, also across runs that were killed."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from graft_api.errors import StoreError

from .store import unwritable

PATIENCE_SECONDS = 120.0  # an orphan saves a checkpoint first


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that is held; a child that inherits `descriptor` holds it too."""

    descriptor: int

    def note_worker(self, process: int) -> None:
        """Whoever finds the lock taken after this process died knows which worker to stop."""
        _write(self.descriptor, f"{os.getpid()} {process}")


@contextmanager
def locked(folder: Path, *, patience: float = PATIENCE_SECONDS) -> Iterator[Lock]:
    """This process alone works in the folder meanwhile.

    Where the holder's own run was killed, its worker is asked to save and stop, and waited for.

    Raises:
        StoreError: another run is at work, an orphan does not stop within `patience` seconds, or
            the folder cannot be written.
    """
    descriptor = _open(folder / ".lock")
    try:
        _acquire(descriptor, folder, patience)
        _write(descriptor, str(os.getpid()))
        yield Lock(descriptor=descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise unwritable(path, error) from None


def _acquire(descriptor: int, folder: Path, patience: float) -> None:
    if _try(descriptor):
        return
    holder, *worker = os.pread(descriptor, 64, 0).decode().split() or ["unknown"]
    if worker and not _alive(int(holder)):
        holder = worker[0]
        if _outlive(descriptor, int(holder), patience):
            return
    raise StoreError(
        f"{folder}: process {holder} is at work on this job",
        hint=f"wait for it, or stop it (it saves a checkpoint first): kill {holder}",
    )


def _outlive(descriptor: int, orphan: int, patience: float) -> bool:
    if _alive(orphan):
        os.kill(orphan, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while not (free := _try(descriptor)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return free


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
