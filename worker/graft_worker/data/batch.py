"""A batch as the model takes it: sequences packed into rows, block-diagonal by segment.

Shapes: R rows, W tokens per row, S sequences. Padded data are the case of one sequence per row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Tokens that are to be predicted, M of them."""

    slots: Tensor  # [M] int64: where they stand in the flattened [R * W]
    answers: Tensor  # [M] int64: their true ids
    sequences: Tensor  # [M] int64: which of the S sequences they belong to, ascending
    shares: Tensor  # [M] float32: one by the number asked of the same sequence

    def to(self, device: torch.device) -> Asked:
        """The same on a device."""
        names = ("slots", "answers", "sequences", "shares")
        return Asked(**{n: getattr(self, n).to(device, non_blocking=True) for n in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One micro-batch. Slots without a token have segment 0."""

    ids: Tensor  # [R, W] int64 token ids
    positions: Tensor  # [R, W] int64, from 0 in every segment
    segments: Tensor  # [R, W] int32: 1, 2, ... within a row, 0 is padding
    types: Tensor  # [R, W] int64 token types (0 first text, 1 second text)
    keys: Tensor  # [R, W] int32: of what dropout draws, from (seed, epoch, sample, place) alone
    first: Tensor  # [S] int64: slot of each sequence's first token in the flattened [R * W]
    samples: Tensor  # [S] int64: row numbers in the shards
    targets: Mapping[str, Tensor]  # per-example columns of the Block, [S, ...]
    tokens: int  # real tokens
    most: int  # sequences in the fullest row
    attended: int = 0  # tokens that a token attends to, summed over tokens: squares of lengths
    longest: int = 0  # tokens of the longest sequence
    starts: Tensor | None = None  # [N + 1] int32: where runs of one segment begin in R * W; R * W
    asked: Asked | None = None  # where tokens are to be predicted

    @property
    def whole(self) -> bool:
        """Whether every row is one sequence without padding, by numbers that the host knows."""
        return self.tokens == self.ids.numel() and self.first.numel() == len(self.ids)

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        moved = {
            name: getattr(self, name).to(device, non_blocking=True)
            for name in ("ids", "positions", "segments", "types", "keys", "first", "samples")
        }
        targets = {k: v.to(device, non_blocking=True) for k, v in self.targets.items()}
        asked = self.asked.to(device) if self.asked else None
        starts = None if self.starts is None else self.starts.to(device, non_blocking=True)
        return replace(self, targets=targets, asked=asked, starts=starts, **moved)
