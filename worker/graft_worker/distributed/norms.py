"""Norms over whole tensors of which processes hold parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def squares(tensors: list[Tensor], *, copies: Sequence[int]) -> Tensor:
    """The squared norm of each whole tensor, fp64 [n]; with `copies` an exchange of all processes.

    `copies` says how many processes hold what this one holds of each; none where all hold all.
    """
    found = torch.stack([norm.double() for norm in torch._foreach_norm(tensors)]).square()
    if copies:
        found /= found.new_tensor(copies)
        dist.all_reduce(found)
    return found


@torch.no_grad()
def clip(
    parameters: Iterable[nn.Parameter], limit: float, *, copies: Mapping[nn.Parameter, int]
) -> Tensor:
    """The norm of the whole gradient, [1], which is then scaled down to `limit` where it is above.

    As torch's own, for parameters that are cut in ways that it does not know of.
    """
    touched = [p for p in parameters if p.grad is not None]
    gradients = local(p.grad for p in touched)
    norm = squares(gradients, copies=[copies[p] for p in touched]).sum().sqrt()
    scale = torch.clamp(limit / (norm + 1e-6), max=1.0)
    torch._foreach_mul_(gradients, scale.to(gradients[0].dtype))
    return norm.reshape(1)


def local(tensors: Iterable[Any]) -> list[Tensor]:
    """What this process holds of each tensor."""
    # Only sharded tensors have the method; asking for it spares the import of DTensor.
    return [t.to_local() if hasattr(t, "to_local") else t for t in tensors]
