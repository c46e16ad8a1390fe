"""Checkpoints whose place is a bucket; the folder of this machine only holds what is at work.

What is not in the bucket does not count: the next rank 0 may run on another machine.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from graft_api.errors import StoreError
from graft_worker.mirror.failures import Absent, Damaged

from . import folders
from .copies import Copies, Copy, parsed
from .folders import Folder
from .manifest import NAME, Manifest
from .staging import Tensors
from .store import Checkpoint, Checkpoints, described
from .uploads import Uploads

logger = logging.getLogger(__name__)


class MirroredCheckpoints:
    """As `Checkpoints`, and every one has a copy in the bucket before it counts as saved.

    `sent` is called, in a thread, after each copy.
    """

    def __init__(
        self, root: Path, copies: Copies, *, keep: int, sent: Callable[[], None] = lambda: None
    ) -> None:
        self.root = root
        self._copies = copies
        self._uploads = Uploads(copies, keep=keep, sent=sent)
        self._local = Checkpoints(root, keep=1, whole=self._uploads.offer)

    @property
    def saved(self) -> Checkpoint | None:
        """The last checkpoint that this object wrote and whose copy is whole; best models apart."""
        return self._uploads.saved

    def save(self, tensors: Tensors, values: Mapping[str, Any], *, step: int) -> None:
        """Copies the state and returns; threads write it and send it.

        Raises:
            StoreError: a save before this one failed; this one was not begun.
            TypeError: a value is no JSON value.
        """
        self._uploads.check()
        self._local.save(tensors, values, step=step)

    def save_best(self, tensors: Tensors, values: Mapping[str, Any], *, step: int) -> None:
        """As `save`, for the best model so far; it replaces the best before it."""
        self._uploads.check()
        self._local.save_best(tensors, values, step=step)

    def wait(self) -> None:
        """Returns when all that was saved is in the bucket.

        Raises:
            StoreError: something could not be written or sent.
        """
        self._local.wait()
        self._uploads.wait()

    def newest(self) -> Checkpoint | None:
        """The whole checkpoint of the highest step, fetched; damaged ones are named in the log.

        Raises:
            StoreError: the bucket cannot be read, or this machine's folder not be written.
        """
        return self._first(self._copies.listed(kind="step"))

    def best(self) -> Checkpoint | None:
        """The best model that was saved last, fetched; None where there is none.

        Raises:
            StoreError: as `newest`.
        """
        copies = self._copies.listed(kind="best-step")
        return self._first(tuple(sorted(copies, key=lambda copy: copy.finished, reverse=True)))

    def address(self, checkpoint: Checkpoint) -> str:
        """What the addresses of its objects in the bucket begin with."""
        return self._copies.address(checkpoint.path.name)

    def load(self, checkpoint: Checkpoint) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors, mapped copy-on-write from the files, and values; fetched where they must be.

        Raises:
            StoreError: it cannot be read or is damaged.
        """
        with self._alone():
            found = self._here(checkpoint.copy) or self._fetch(checkpoint.copy)
        if found is None:
            raise StoreError(
                f"{self._copies.address(checkpoint.copy)}: it was whole before and is not now",
                hint="run the same job again: it takes the checkpoint before",
            )
        return self._local.load(found)

    def _first(self, copies: tuple[Copy, ...]) -> Checkpoint | None:
        for copy in copies:
            if not copy.whole:
                logger.warning("%s was left half copied; it is skipped", copy.name)
                continue
            with self._alone():
                found = self._verified(copy.name) or self._fetch(copy.name)
            if found is not None:
                return found
        return None

    def _verified(self, name: str) -> Checkpoint | None:
        """What is here of that copy, if its files are whole."""
        found = self._here(name)
        return None if found is None or _folder(self.root, name).fault() else found

    def _here(self, name: str) -> Checkpoint | None:
        """What is here of that copy; a folder of the same step may be another writer's."""
        folder = _folder(self.root, name)
        try:
            if (folder.path / NAME).read_bytes() == self._copies.manifest(name):
                return _checkpoint(folder, name)
        except (FileNotFoundError, Absent, Damaged, ValueError):
            pass
        return None

    def _fetch(self, name: str) -> Checkpoint | None:
        """The copy in the folder, alone of its kind there, or None where it is damaged."""
        final = _folder(self.root, name)
        with folders.writing(self.root), folders.hidden(final) as path:
            if fault := self._filled(path, name):
                logger.warning("CheckpointCorrupt: %s: %s; it is skipped", name, fault)
                return None
            for other in folders.listed(self.root, kind=parsed(name)[0]):
                folders.retire(other)
            folders.publish(path, final=final)
        return _checkpoint(final, name)

    def _filled(self, path: Path, name: str) -> str:
        """What is wrong with the copy, or "": then the folder holds it."""
        try:
            self._copies.get(name, path)
        except (Absent, Damaged) as error:
            return error.message
        except ValueError as error:
            return f"{NAME}: {error}"
        return Folder(step=parsed(name)[1], path=path).fault()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process of this machine fetches; the others find what it has fetched."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".fetch").open("a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _folder(root: Path, name: str) -> Folder:
    kind, step = parsed(name)
    return folders.folder(root, kind=kind, step=step)


def _checkpoint(folder: Folder, name: str) -> Checkpoint:
    return replace(described(folder, Manifest.read(folder.path)), copy=name)
