"""Blocks and shards with content that tells where it came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graft_worker.data.blocks import Block
from graft_worker.data.shards import Shards


def block(lengths: Sequence[int], *, first: int = 0) -> Block:
    """Example i has the tokens 1000 i, 1000 i + 1, ..., its second half type 1, and target i."""
    numbers = np.arange(first, first + len(lengths))
    tokens = [1000 * i + np.arange(n) for i, n in zip(numbers, lengths, strict=True)]
    types = [np.arange(n) * 2 >= n for n in lengths]
    return Block(
        tokens=np.concatenate([np.zeros(0, np.int64), *tokens]),
        lengths=np.array(lengths, np.int32),
        per_token={"types": np.concatenate([np.zeros(0, bool), *types]).astype(np.uint8)},
        per_example={"target": numbers.astype(np.int32)},
    )


def shards(lengths: Sequence[int]) -> Shards:
    """The same in memory."""
    return Shards.in_memory(block(lengths))
