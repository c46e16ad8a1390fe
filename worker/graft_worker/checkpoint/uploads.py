"""Whole checkpoints on their way to the bucket, one after another, beside the training.

Of those that wait only the newest of a kind is sent: a slow network makes copies rarer, it holds up
nothing and fills no disk.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from .copies import Copies
from .folders import Kind
from .store import Checkpoint

LINKS = ".upload-"  # begins the names of folders with links to what waits

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    checkpoint: Checkpoint
    links: Path  # the files keep their content here, whoever removes the checkpoint meanwhile


class Uploads:
    """Sends checkpoints and keeps the `keep` newest copies; `sent` is called after each."""

    def __init__(self, copies: Copies, *, keep: int, sent: Callable[[], None]) -> None:
        self._copies = copies
        self._keep = keep
        self._sent = sent
        self._lock = threading.Lock()
        self._waiting: dict[Kind, _Waiting] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._running: list[Future[None]] = []
        self._saved: Checkpoint | None = None

    @property
    def saved(self) -> Checkpoint | None:
        """The last checkpoint whose copy is whole; best models apart."""
        return self._saved

    def offer(self, kind: Kind, checkpoint: Checkpoint) -> None:
        """Has the checkpoint sent, and returns. Raises OSError where it cannot be linked."""
        if not self._running:
            _sweep(checkpoint.path.parent)
        waiting = _Waiting(checkpoint=checkpoint, links=_linked(checkpoint.path))
        with self._lock:
            passed_over = self._waiting.pop(kind, None)
            self._waiting[kind] = waiting
            self._running = [run for run in self._running if not run.done() or run.exception()]
            self._running.append(self._thread.submit(self._next, kind))
        if passed_over:
            shutil.rmtree(passed_over.links)
            logger.warning(
                "%s is not copied: a newer one is there already; copying takes longer than the"
                " time between two checkpoints",
                passed_over.checkpoint.path.name,
            )

    def check(self) -> None:
        """Raises StoreError where a copy that was begun before has failed."""
        for each in self._begun():
            if each.done():
                each.result()

    def wait(self) -> None:
        """Returns when everything offered is sent. Raises StoreError where something could not."""
        for each in self._begun():
            each.result()

    def _begun(self) -> list[Future[None]]:
        with self._lock:
            return list(self._running)

    def _next(self, kind: Kind) -> None:
        with self._lock:
            waiting = self._waiting.pop(kind, None)
        if waiting is None:  # passed over
            return
        try:
            self._send(kind, waiting)
        finally:
            shutil.rmtree(waiting.links, ignore_errors=True)

    def _send(self, kind: Kind, waiting: _Waiting) -> None:
        began, checkpoint = time.perf_counter(), waiting.checkpoint
        name = self._copies.put(waiting.links, kind=kind, step=checkpoint.step)
        seconds = time.perf_counter() - began
        logger.info("%s copied to the bucket in %.1f s", checkpoint.path.name, seconds)
        if kind == "step":
            took = checkpoint.seconds + seconds
            self._saved = replace(checkpoint, seconds=took, copy=name)
        self._copies.retire(name, keep=self._keep)
        self._sent()


def _linked(folder: Path) -> Path:
    links = Path(tempfile.mkdtemp(prefix=LINKS, dir=folder.parent))
    for file in folder.iterdir():
        os.link(file, links / file.name)
    return links


def _sweep(root: Path) -> None:
    """Removes what a dead process left."""
    for left in root.glob(f"{LINKS}*"):
        shutil.rmtree(left, ignore_errors=True)
