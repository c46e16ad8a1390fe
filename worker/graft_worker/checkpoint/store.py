"""Checkpoints of one job: saved in the background, found again newest first, every bit verified.

<root>/step-00000120/       exists only when it is whole
    state.safetensors       several where it would be larger than a gigabyte
    values.json
    manifest.json           written last: step, sizes, SHA-256, versions
<root>/best-step-00000100/  the same for the best model
<root>/.step-00000130.<writer>/  being written, or left by a dead writer
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from graft_api.errors import StoreError

from . import failures, folders, tensors, values
from .folders import Folder
from .manifest import NAME, Manifest
from .staging import Stage, Tensors

VALUES = "values.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One whole checkpoint: its step, folder, size in bytes and time of writing (RFC 3339).

    `seconds` is how long the writing took, 0 where another process wrote it. `copy` names the copy
    in a bucket that it is, if there is one.
    """

    step: int
    path: Path
    bytes: int
    time: str
    seconds: float = 0.0
    copy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Save:
    final: Folder
    kind: folders.Kind
    tensors: Mapping[str, Tensor]
    values: bytes

    def size(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors.values()) + len(self.values)


def _now() -> datetime:
    return datetime.now(UTC)


def _nobody(_kind: folders.Kind, _written: Checkpoint) -> None:
    """Nobody waits for what is written."""


class Checkpoints:
    """Saves and finds the checkpoints below `root`; keeps the `keep` newest and the best.

    One save of each kind may be in flight: while a checkpoint is written the best model waits in a
    copy of its own, and the other way round. They are written in their order, and none that follows
    one that failed. Processes that only load need no right to write. `whole` is told of each
    checkpoint, in the writing thread, before older ones are removed.
    """

    def __init__(
        self,
        root: Path,
        *,
        keep: int,
        clock: Callable[[], datetime] = _now,
        whole: Callable[[folders.Kind, Checkpoint], None] = _nobody,
    ) -> None:
        if keep < 1:
            raise ValueError(f"keep={keep}: at least one checkpoint is kept")
        self.root = root
        self._keep = keep
        self._clock = clock
        self._whole = whole
        self._stages: Mapping[folders.Kind, Stage] = {"step": Stage(), "best-step": Stage()}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._running: dict[folders.Kind, Future[None]] = {}  # oldest first
        self._saved: Checkpoint | None = None

    @property
    def saved(self) -> Checkpoint | None:
        """The last checkpoint that this object wrote and that is durable; best models apart."""
        return self._saved

    def save(self, tensors: Tensors, values: Mapping[str, Any], *, step: int) -> None:
        """Copies the state and returns; a thread writes it. Blocks until the last one is written.

        Values are JSON values; nan and infinities are allowed, tuples come back as lists.

        Raises:
            StoreError: a save before this one failed; this one was not begun.
            TypeError: a value is no JSON value.
        """
        self._begin("step", tensors, values, step=step)

    def save_best(self, tensors: Tensors, values: Mapping[str, Any], *, step: int) -> None:
        """As `save`, for the best model so far; it replaces the best before it."""
        self._begin("best-step", tensors, values, step=step)

    def wait(self) -> None:
        """Returns when all saves in flight are durable.

        Raises:
            StoreError: one failed; says which checkpoint is intact and what to do.
        """
        running, self._running = tuple(self._running.values()), {}
        futures.wait(running)
        for each in running:
            each.result()

    def newest(self) -> Checkpoint | None:
        """The whole checkpoint of the highest step; damaged ones are named in the log and skipped.

        Raises:
            StoreError: the folder cannot be read.
        """
        with _reading(self.root):
            return _first(folders.listed(self.root, kind="step"))

    def best(self) -> Checkpoint | None:
        """The best model that was saved last, whole; None where there is none.

        Raises:
            StoreError: the folder cannot be read.
        """
        with _reading(self.root):
            found = folders.listed(self.root, kind="best-step")
            return _first(sorted(found, key=_time, reverse=True))

    def address(self, checkpoint: Checkpoint) -> str:
        """Where people find it."""
        return str(checkpoint.path)

    def load(self, checkpoint: Checkpoint) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors, mapped copy-on-write from the files, and values.

        Raises:
            StoreError: a file cannot be read.
        """
        with _reading(checkpoint.path):
            names = sorted(Manifest.read(checkpoint.path).files.keys() - {VALUES})
            state = tensors.read(checkpoint.path / name for name in names)
            return state, values.decode((checkpoint.path / VALUES).read_bytes())

    def _begin(
        self,
        kind: folders.Kind,
        state: Tensors,
        plain: Mapping[str, Any],
        *,
        step: int,
    ) -> None:
        text = values.encode(plain)
        self._free(kind)
        save = _Save(
            final=folders.folder(self.root, kind=kind, step=step),
            kind=kind,
            tensors=self._stages[kind].copy(state),
            values=text,
        )
        before = next(reversed(self._running.values()), None)
        self._running[kind] = self._thread.submit(self._follow, before, save)

    def _free(self, kind: folders.Kind) -> None:
        """The copy of that kind is nobody's any more, and no save has failed."""
        futures.wait([each for other, each in self._running.items() if other == kind])
        if any(each.done() and each.exception() for each in self._running.values()):
            self.wait()
        self._running.pop(kind, None)

    def _follow(self, before: Future[None] | None, save: _Save) -> None:
        # A state knows which model is the best: without that model it would be a false one.
        if before is not None:
            before.result()
        self._write(save)

    def _write(self, save: _Save) -> None:
        started = time.perf_counter()
        try:
            with folders.writing(self.root):
                written = self._publish(save)
                seconds = time.perf_counter() - started
                written = replace(written, seconds=seconds)
                self._whole(save.kind, written)
                self._retire(save)
        except OSError as error:
            raise self._failure(error, save) from error
        logger.info("%s saved: %d bytes in %.1f s", written.path.name, written.bytes, seconds)
        if save.kind == "step":
            self._saved = written

    def _publish(self, save: _Save) -> Checkpoint:
        with folders.hidden(save.final) as path:
            files = tensors.write(path, save.tensors)
            files[VALUES] = tensors.write_file(path / VALUES, [save.values])
            manifest = Manifest(
                step=save.final.step,
                time=self._clock().isoformat(timespec="milliseconds"),
                torch=torch.__version__,
                files=files,
            )
            tensors.write_file(path / NAME, [manifest.to_json()])
            folders.publish(path, final=save.final)
        return described(save.final, manifest)

    def _retire(self, save: _Save) -> None:
        """Removes what the folder just written makes superfluous.

        Checkpoints of higher steps are damaged or another writer's: they do not count as kept.
        """
        old = folders.listed(self.root, kind=save.kind)
        if save.kind == "step":
            old = tuple(entry for entry in old if entry.step <= save.final.step)[self._keep :]
        for entry in old:
            if entry.step != save.final.step:
                folders.retire(entry)

    def _failure(self, error: OSError, save: _Save) -> StoreError:
        intact = None
        with suppress(StoreError):
            intact = self.newest()
        attempted = failures.Attempted(
            root=self.root,
            step=save.final.step,
            bytes=save.size(),
            intact=intact.step if intact else None,
        )
        return failures.explained(error, save=attempted)


def _first(found: Iterable[Folder]) -> Checkpoint | None:
    for folder in found:
        if not (fault := folder.fault()):
            return described(folder, Manifest.read(folder.path))
        logger.warning("CheckpointCorrupt: %s: %s; it is skipped", folder.path, fault)
    return None


def described(folder: Folder, manifest: Manifest) -> Checkpoint:
    """The checkpoint of a whole folder and its manifest."""
    return Checkpoint(
        step=manifest.step, path=folder.path, bytes=manifest.size(), time=manifest.time
    )


def _time(folder: Folder) -> str:
    try:
        return Manifest.read(folder.path).time
    except (OSError, ValueError):
        return ""


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(
            f"{path}: checkpoints cannot be read: {reason}",
            hint="let this user read the folder and all in it, then run the same job again",
        ) from error
