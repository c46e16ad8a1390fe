"""Layers split among processes: who does, what each holds of a tensor, what a pass exchanges.

Shoeybi et al. 2019, arXiv 1909.08053, section 3. Processes that split layers are neighbours by
rank and read the same rows; so their activations are the same wherever a layer is not split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn

from graft_api.errors import ConfigError
from graft_worker.distributed.process import PATIENCE, Process

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


def split(process: Process, tensor: int, *, patience: timedelta = PATIENCE) -> Process:
    """The process as one of `tensor` that split every layer; all of the gang must ask for it.

    Raises:
        ConfigError: the gang has no multiple of so many processes.
    """
    if process.world % tensor:
        raise ConfigError(
            f"workers.parallel.tensor: {tensor} processes split a layer, and the gang has"
            f" {process.world}",
            hint=f"use a multiple of {tensor} processes",
        )
    if tensor == 1:
        return process
    ranks = range(process.world)
    rows = [ranks[start : start + tensor] for start in ranks[::tensor]]
    columns = [ranks[place::tensor] for place in range(tensor)]
    return replace(
        process,
        tensor=tensor,
        tensor_group=_own(process, rows, patience),
        data_group=_own(process, columns, patience),
    )


def _own(process: Process, parts: Iterable[range], patience: timedelta) -> ProcessGroup:
    """The group that the process is in; every process makes all of them."""
    made = [(part, dist.new_group(list(part), timeout=patience)) for part in parts]
    (own,) = (group for part, group in made if process.rank in part)
    assert isinstance(own, dist.ProcessGroup)
    return own


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a process holds of a tensor: its share of each of `blocks` equal blocks along `dim`."""

    process: Process
    dim: int = 0
    blocks: int = 1

    def part(self, whole: Tensor) -> Tensor:
        """The process's own part, as a tensor of its own."""
        cut = torch.unflatten(whole, self.dim, (self.blocks, self.process.tensor, -1))
        own = cut.select(self.dim + 1, self.process.tensor_rank)
        return own.flatten(self.dim, self.dim + 1).clone(memory_format=torch.contiguous_format)

    def whole(self, part: Tensor) -> Tensor:
        """The whole that all parts make, the same in every process; an exchange."""
        parts = [torch.empty_like(part) for _ in range(self.process.tensor)]
        dist.all_gather(parts, part.contiguous(), group=self.process.tensor_group)
        cut = [torch.unflatten(each, self.dim, (self.blocks, -1)) for each in parts]
        return torch.stack(cut, self.dim + 1).flatten(self.dim, self.dim + 2)

    def whole_shape(self, part: Tensor) -> torch.Size:
        """The shape of the whole."""
        sizes = list(part.shape)
        sizes[self.dim] *= self.process.tensor
        return torch.Size(sizes)


class Split(Protocol):
    """A module of which each process holds a part."""

    @property
    def cuts(self) -> Mapping[str, Cut]:
        """How its own parameters are cut, by their names in it; others are whole."""
        ...


def cuts(module: nn.Module) -> dict[str, Cut]:
    """How parameters of a module and of all below it are cut, by name; whole ones are absent."""
    return {
        f"{at}.{name}".lstrip("."): cut
        for at, part in module.named_modules()
        for name, cut in getattr(part, "cuts", {}).items()
    }


def entered(x: Tensor, process: Process) -> Tensor:
    """X as it goes into products of which each process computes a part; gradients are summed."""
    enter: Callable[..., Tensor] = _Enter.apply
    return enter(x, process.tensor_group)


def left(x: Tensor, process: Process) -> Tensor:
    """The sum of x over the processes that split the layer; each then goes on with all of it."""
    leave: Callable[..., Tensor] = _Leave.apply
    return leave(x, process.tensor_group)


class _Enter(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, group: ProcessGroup) -> Tensor:
        ctx.group = group
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _summed(grad, ctx.group), None


class _Leave(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, group: ProcessGroup) -> Tensor:  # noqa: ARG004  (as torch calls it)
        return _summed(x, group)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # noqa: ARG004  (as above)
        return grad, None


def _summed(x: Tensor, group: ProcessGroup) -> Tensor:
    total = x.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total, group=group)
    return total
