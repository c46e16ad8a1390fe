"""Folders of checkpoints: names, appearance in one step, removal, and what dead writers left."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from . import manifest

Kind = Literal["step", "best-step"]

logger = logging.getLogger(__name__)

HIDDEN = re.compile(r"\.(best-)?step-\d{8,}\.[0-9a-f]{8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that bears a checkpoint's name, whole or damaged."""

    step: int
    path: Path

    def fault(self) -> str:
        """What is wrong with it, or ""; reads every file."""
        return manifest.fault(self.path, step=self.step)


def folder(root: Path, *, kind: Kind, step: int) -> Folder:
    """Where the checkpoint of that step stands."""
    return Folder(step=step, path=root / f"{kind}-{step:08d}")


def listed(root: Path, *, kind: Kind) -> tuple[Folder, ...]:
    """All that bear a checkpoint's name, highest step first; none where the root is missing."""
    pattern = re.compile(rf"{kind}-(\d{{8,}})")
    with suppress(FileNotFoundError):
        named = ((pattern.fullmatch(path.name), path) for path in root.iterdir())
        found = [Folder(step=int(match[1]), path=path) for match, path in named if match]
        return tuple(sorted(found, key=lambda entry: entry.step, reverse=True))
    return ()


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Left-overs of dead writers are gone before; nobody takes ours for such meanwhile.

    The system releases a dead writer's lock. Where it knows no locks, left-overs stay.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("a+b") as lock:
        if _locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
            _sweep(root)
        _locked(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def hidden(final: Folder) -> Iterator[Path]:
    """A new folder to fill and `publish`; whatever is left in it afterwards is removed."""
    path = _beside(final.path)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def publish(path: Path, *, final: Folder) -> None:
    """The filled folder stands under its final name, and stays there after a power failure.

    A whole folder of the same step is as good as ours and stays; a damaged one is replaced.
    """
    flush(path)
    while not _renamed(path, final.path) and final.fault():
        remove(final.path)
    flush(final.path.parent)


def remove(path: Path) -> None:
    """The folder is gone: its name at once, then its files. Another writer may have been first."""
    away = _beside(path)
    with suppress(FileNotFoundError):
        path.rename(away)
        shutil.rmtree(away)


def retire(old: Folder) -> None:
    """The folder is gone; one that cannot be removed stops nobody and is named in the log."""
    try:
        remove(old.path)
    except OSError as error:
        logger.warning("%s: an old checkpoint cannot be removed: %s", old.path, error.strerror)


def flush(path: Path) -> None:
    """What the folder lists is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path) -> Path:
    # Process ids repeat in pods: a writer is told from another by chance.
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")


def _renamed(path: Path, final: Path) -> bool:
    try:
        path.rename(final)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _locked(lock: BinaryIO, operation: int) -> bool:
    try:
        fcntl.flock(lock, operation)
    except OSError:
        return False
    return True


def _sweep(root: Path) -> None:
    for path in root.iterdir():
        if HIDDEN.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)
