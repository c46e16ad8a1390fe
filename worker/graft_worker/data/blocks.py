"""Encoded examples in columns: what an app's features become, and what a shard holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from graft_worker.data.rows import Row

Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """N examples. T is the sum of their lengths."""

    tokens: Array  # [T] token ids, specials included, padding never
    lengths: Array  # [N] tokens per example
    per_token: Mapping[str, Array] = field(default_factory=dict)  # name -> [T], e.g. types
    per_example: Mapping[str, Array] = field(
        default_factory=dict
    )  # name -> [N] or [N, C], e.g. target


# Rows whose values are keyed by role name and already validated, to a Block. Called on chunks of
# some thousand rows, from one process: tokenizers uses every core by itself.
Encode = Callable[[Sequence[Row]], Block]

# The same for a whole split: its rows in chunks, to Blocks that need not match the chunks.
Blocks = Callable[[Iterator[Sequence[Row]]], Iterator[Block]]
