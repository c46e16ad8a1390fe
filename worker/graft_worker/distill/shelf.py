"""What was computed once, kept in the cache and read back from there by whoever needs it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graft_worker.data.blocks import Array, Block
from graft_worker.data.cache import Cache
from graft_worker.data.shard_writer import ShardWriter, discard, is_whole
from graft_worker.data.shards import Column, Shards
from graft_worker.distributed.process import Process

PIECE = 1 << 13  # rows; between two pieces processes wait for each other, so they stay small

log = logging.getLogger(__name__)


def _nowhere(_folder: Path) -> None:
    """There is no other place to send it to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where answers are kept. `send` has a new folder reach the machines that `bring` knows."""

    cache: Cache
    piece: int = PIECE  # rows of a folder
    send: Callable[[Path], None] = _nowhere

    def kept(
        self, key: str, make: Callable[[], Mapping[str, Array]], process: Process
    ) -> Mapping[str, Column]:
        """The columns of that key, in every process; made by all together where they are missing.

        What `make` gives counts in the process that leads. It is read back in any case: what a
        second job finds is what the first one trained with.

        Raises:
            StoreError: the cache cannot be written.
        """
        folder = self.cache.folder(key) if process.leads else Path()
        if not process.broadcast(process.leads and _whole(folder)):
            made = make()
            if process.leads:
                _write(folder, made)
                self.send(folder)
        return process.broadcast(Shards.open(folder).per_example if process.leads else {})


def _whole(folder: Path) -> bool:
    """Whether the folder is there and whole; a damaged one is removed."""
    if not folder.exists():
        return False
    if whole := is_whole(folder):
        return whole
    log.warning("answers are damaged and computed anew", extra={"folder": str(folder)})
    discard(folder)
    return False


def _write(folder: Path, columns: Mapping[str, Array]) -> None:
    """A folder of shards without tokens: whole or not at all."""
    nothing = np.zeros(len(next(iter(columns.values()))), np.int32)
    block = Block(tokens=np.empty(0, np.uint16), lengths=nothing, per_example=dict(columns))
    with ShardWriter(folder, vocabulary=1) as writer:
        writer.add(block)
        writer.publish()
