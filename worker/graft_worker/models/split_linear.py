"""Dense layers of which each process computes a part: by outputs, then by inputs.

The first gives a part of the features, the second takes it and sums what all processes made of
theirs: one exchange for both.

Shapes: * any leading axes, I inputs, O outputs, T processes that split the layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (torch's own name for it)

from graft_worker.distributed.process import Process
from graft_worker.distributed.splits import Cut, left


class Dense(Protocol):
    """A dense layer, or a part of one."""

    @property
    def weight(self) -> Tensor:
        """[O, I]."""
        ...

    @property
    def bias(self) -> Tensor:
        """[O]."""
        ...

    def __call__(self, x: Tensor, /) -> Tensor:
        """[*, I] to [*, O]."""
        ...


class Columns(nn.Module):
    """A part of the outputs of a whole layer, of each of `blocks` equal blocks of them."""

    def __init__(self, whole: Dense, process: Process, *, blocks: int = 1) -> None:
        super().__init__()
        cut = Cut(process=process, blocks=blocks)
        self.cuts: Mapping[str, Cut] = {"weight": cut, "bias": cut}
        self.weight: Tensor = _part(whole.weight, cut)
        self.bias: Tensor = _part(whole.bias, cut)

    def forward(self, x: Tensor) -> Tensor:
        """[*, I] to [*, O / T]; x has entered before (see `splits`)."""
        return F.linear(x, self.weight, self.bias)


class Rows(nn.Module):
    """All outputs of a whole layer, from a part of its inputs in each process."""

    def __init__(self, whole: Dense, process: Process) -> None:
        super().__init__()
        cut = Cut(process=process, dim=1)
        self.cuts: Mapping[str, Cut] = {"weight": cut}
        self._process = process
        self.weight: Tensor = _part(whole.weight, cut)
        self.bias: Tensor = whole.bias

    def forward(self, x: Tensor) -> Tensor:
        """[*, I / T] to [*, O], the same in every process; an exchange."""
        return left(F.linear(x, self.weight), self._process) + self.bias


def _part(whole: Tensor, cut: Cut) -> nn.Parameter:
    return nn.Parameter(cut.part(whole.detach()), requires_grad=whole.requires_grad)
