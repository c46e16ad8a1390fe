"""Who sees whom: tokens of one segment see each other, and nobody else.

Three forms of one rule, the cheapest that the device has a kernel for: nothing where every row is
one whole sequence, runs of slots where a GPU computes in half precision, else a mask.
A CPU that learns from short rows multiplies matrices instead of calling the fused kernel, whose
backward pass takes three times as long there.

Shapes: R rows, W slots per row, Q queries per row, H hidden, A heads, N runs.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (torch's own name for it)

from graft_worker.data.batch import Batch

_SHORT = 256  # slots of a row; scores of longer ones would take more memory than all else
_GRAIN = 128  # lengths are rounded up to it: compiled code takes the bound for a constant


class Runs(NamedTuple):
    """Slots in R * W that see each other stand together; runs of padding are runs as well."""

    starts: Tensor  # [N + 1] int32, the last is R * W
    longest: int  # an upper bound, in slots


Sight = Tensor | Runs | None


def sight(batch: Batch) -> Sight:
    """What `attend` needs to know of a batch: the same for all layers.

    Decided from numbers known on the host: nothing waits for a device.
    """
    if batch.whole:
        return None
    if batch.starts is not None and _takes_runs(batch.ids.device):
        bound = -(-batch.longest // _GRAIN) * _GRAIN
        return Runs(starts=batch.starts, longest=min(batch.ids.shape[1], bound))
    return mask(batch)


def mask(batch: Batch) -> Tensor:
    """True where query and key are of one segment, [R, 1, W, W].

    Slots of padding see each other, so that no query is without a key and nothing becomes NaN.
    """
    of = batch.segments
    return of[:, None, :, None] == of[:, None, None, :]


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, seen: Sight) -> Tensor:
    """What queries [R, Q, H] gather from keys and values [R, W, H]: [R, Q, H].

    With runs every slot asks: Q is W.
    """
    if isinstance(seen, Runs):
        return _over_runs(q, k, v, heads, seen)
    q, k, v = (x.view(*x.shape[:2], heads, -1).transpose(1, 2) for x in (q, k, v))
    if q.device.type == "cpu" and q.requires_grad and k.shape[2] <= _SHORT:
        attended = _multiplied(q, k, v, seen)
    else:
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
    return attended.transpose(1, 2).flatten(2)


def _multiplied(q: Tensor, k: Tensor, v: Tensor, seen: Tensor | None) -> Tensor:
    """As scaled_dot_product_attention: [R, A, Q, H / A]."""
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2))
    if seen is not None:
        scores = scores.masked_fill(~seen, -torch.inf)
    with torch.autocast("cpu", enabled=False):  # it sums in fp32 anyhow, and need not widen scores
        shares = torch.softmax(scores, -1)
    return torch.matmul(shares, v)


def _over_runs(q: Tensor, k: Tensor, v: Tensor, heads: int, runs: Runs) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn  # an import that CPUs do without

    shape, (starts, longest) = q.shape, runs
    q, k, v = (x.reshape(-1, heads, x.shape[-1] // heads) for x in (q, k, v))
    attended = varlen_attn(q, k, v, starts, starts, longest, longest)
    assert isinstance(attended, Tensor)
    return attended.reshape(shape)


def _takes_runs(device: torch.device) -> bool:
    # The kernel knows half precision alone; on a CPU there is none.
    return device.type == "cuda" and torch.is_autocast_enabled("cuda")
