"""Two tokenised splits, labelled and not, as one in the cache."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from graft_worker.data.blocks import Array, Block
from graft_worker.data.cache import Cache
from graft_worker.data.shard_writer import ShardWriter, discard, is_whole
from graft_worker.data.shards import VERSION, Shards

LABELLED = "labelled"  # uint8 per example: whether its target is one
_CHUNK = 4096  # rows copied at once
_LOG = logging.getLogger(__name__)


def joined(labelled: str, bare: str, *, cache: Cache, vocabulary: int) -> str:
    """The name of the shards that hold the rows of both, those with targets first.

    Both are names of folders in the cache. A row of the second has zeros in place of targets, and
    `labelled` says so. A damaged folder is made anew.

    Raises:
        StoreError: the cache cannot be written, or one of the two cannot be read.
    """
    folder = cache.folder(_key(labelled, bare))
    if folder.exists() and not is_whole(folder):
        _LOG.warning("shards are damaged and made anew", extra={"folder": str(folder)})
        discard(folder)
    if not folder.exists():
        _write(
            folder, Shards.open(cache.root / labelled), Shards.open(cache.root / bare), vocabulary
        )
    return folder.name


def _key(labelled: str, bare: str) -> str:
    parts = {"version": VERSION, "labelled": labelled, "bare": bare}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _write(folder: Path, labelled: Shards, bare: Shards, vocabulary: int) -> None:
    with ShardWriter(folder, vocabulary=vocabulary) as writer:
        for shards in (labelled, bare):
            for block in _blocks(shards, like=labelled):
                writer.add(block)
        writer.publish()


def _blocks(shards: Shards, *, like: Shards) -> Iterator[Block]:
    for start in range(0, shards.rows, _CHUNK):
        stop = min(start + _CHUNK, shards.rows)
        first, last = shards.offsets[start], shards.offsets[stop]
        known = shards is like
        told = {
            name: column[start:stop] if known else _zeros(column, stop - start)
            for name, column in like.per_example.items()
        }
        yield Block(
            tokens=shards.tokens[first:last],
            lengths=shards.lengths[start:stop],
            per_token={name: column[first:last] for name, column in shards.per_token.items()},
            per_example={**told, LABELLED: np.full(stop - start, known, np.uint8)},
        )


def _zeros(column: Any, rows: int) -> Array:
    return np.zeros((rows, *column.shape[1:]), column.dtype)
