"""Tokenised examples on disk, memory-mapped: tokens end to end, and columns beside them.

tokens.bin          [T] uint16 where the vocabulary has fewer than 65,536 ids, else uint32
offsets.bin         [N + 1] int64: example i has tokens offsets[i] up to offsets[i + 1]
lengths.bin         [N] int32
token.NAME.bin      [T] one value per token, such as its type
example.NAME.bin    [N, ...] values per example, such as its target
meta.json           rows, tokens, and type and shape of each column
MANIFEST.json       size and SHA-256 of each file; written last
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from graft_api.errors import StoreError
from graft_worker.data.blocks import Block

if TYPE_CHECKING:
    from graft_worker.data.shown import Shown

VERSION = 1
META = "meta.json"
ANSWER = "answer"  # per token: the id to be predicted, or -1

Column = NDArray[Any]


class View(Protocol):
    """Shows examples otherwise than they are stored, such as with some tokens hidden."""

    def __call__(
        self, shards: Shards, rows: NDArray[np.int64], keys: NDArray[np.uint64] | None
    ) -> Shown:
        """The chosen rows alone, in their order; drawn from their keys, fixed where there are none.

        What is to be predicted are its questions.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """N examples of T tokens, opened without reading them."""

    rows: int
    tokens: NDArray[np.unsignedinteger[Any]]  # [T]
    offsets: NDArray[np.int64]  # [N + 1]
    lengths: NDArray[np.int32]  # [N]
    per_token: dict[str, Column]  # name -> [T]
    per_example: dict[str, Column]  # name -> [N, ...]
    view: View | None = None  # how chosen examples are shown, if not as they are

    @classmethod
    def open(cls, folder: Path) -> Shards:
        """The shards in a folder that a ShardWriter published.

        Raises:
            StoreError: the folder holds no readable shards.
        """
        try:
            meta = json.loads((folder / META).read_text(encoding="utf-8"))
            columns = {name: _map(folder, name, entry) for name, entry in meta["columns"].items()}
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(
                f"{folder}: no readable shards: {error}",
                hint="remove the folder and run the job again: it is made anew",
            ) from None
        return cls(
            rows=meta["rows"],
            tokens=columns.pop("tokens"),
            offsets=columns.pop("offsets"),
            lengths=columns.pop("lengths"),
            per_token=_named(columns, "token."),
            per_example=_named(columns, "example."),
        )

    @classmethod
    def in_memory(cls, block: Block) -> Shards:
        """A Block as shards, for predictions on few rows."""
        lengths = np.asarray(block.lengths, np.int32)
        return cls(
            rows=len(lengths),
            tokens=block.tokens.astype(np.uint32),
            offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
            lengths=lengths,
            per_token=dict(block.per_token),
            per_example=dict(block.per_example),
        )

    def tokens_of(self, row: int) -> NDArray[np.unsignedinteger[Any]]:
        """The token ids of one example."""
        return self.tokens[self.offsets[row] : self.offsets[row + 1]]


def _map(folder: Path, name: str, entry: dict[str, Any]) -> Column:
    path, shape = folder / f"{name}.bin", tuple(entry["shape"])
    dtype = np.dtype(entry["dtype"])
    expected = dtype.itemsize * int(np.prod(shape))
    if path.stat().st_size != expected:
        raise ValueError(f"{path.name} has {path.stat().st_size:,} bytes, expected {expected:,}")
    if not expected:
        return np.empty(shape, dtype)
    # A plain view: memmap adds a microsecond of Python to every slice.
    return np.asarray(np.memmap(path, dtype, mode="r", shape=shape))


def _named(columns: dict[str, Column], prefix: str) -> dict[str, Column]:
    return {n.removeprefix(prefix): c for n, c in columns.items() if n.startswith(prefix)}
