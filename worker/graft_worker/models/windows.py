"""Convolutions over the words of a text, each filter's largest answer kept.

Kim 2014, arXiv 1408.5882, section 2. Widths, filters and size of the words are the caller's.

Shapes: N texts, W slots, E size of a word's vector, C filters of a width, K widths.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (torch's own name for it)

_unset: Callable[..., Any] = nn.utils.skip_init  # draws nothing from the global generator


class Windows(nn.Module):
    """What C filters of each of K widths find in a text: [N, K * C]. Weights are unset."""

    def __init__(self, *, size: int, filters: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.widths = widths
        self.filters = nn.ModuleList(_unset(nn.Conv1d, size, filters, width) for width in widths)

    def forward(self, words: Tensor, real: Tensor) -> Tensor:
        """Words [N, W, E] and which of them are a text's own, [N, W]: one run in each row.

        A window that leaves the text counts for nothing, unless the text is shorter than it: then
        the one at the text's start counts, with zeros for what is missing.
        """
        words = (words * real.unsqueeze(-1)).transpose(1, 2)
        start = real & ~F.pad(real, (1, 0))[:, :-1]
        found = []
        for filters, width in zip(self.filters, self.widths, strict=True):
            answers = filters(F.pad(words, (0, width - 1)))
            counts = (_whole(real, width) | start).unsqueeze(1)
            found.append(torch.relu(answers * counts).amax(dim=2))
        return torch.cat(found, dim=1)

    def matrices(self) -> list[Tensor]:
        """What a word is multiplied by, by width: [C, E, width] each."""
        return [filters.get_parameter("weight") for filters in self.filters]

    @torch.no_grad()
    def draw(self, generator: torch.Generator) -> None:
        """Initial weights: normal, so that answers are as large as words (He et al. 2015); 0."""
        for filters in self.filters:
            assert isinstance(filters, nn.Conv1d)
            assert filters.bias is not None
            deviation = math.sqrt(2 / (filters.in_channels * filters.kernel_size[0]))
            filters.weight.normal_(0, deviation, generator=generator)
            filters.bias.zero_()


def _whole(real: Tensor, width: int) -> Tensor:
    """Where a window of the width begins that lies in the text altogether, [N, W]."""
    whole = real
    for ahead in range(1, width):
        whole = whole & F.pad(real, (0, ahead))[:, ahead:]
    return whole
