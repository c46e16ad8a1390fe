"""Dropout without state: what is kept is a hash of token, place in the network and feature.

The keys of a batch hold (seed, epoch, sample, place), so a token loses the same features however
it is packed, on whichever rank, and again after a resume. Nothing is drawn from a generator and no
mask is stored: the backward pass hashes again, which costs less than reading a mask.

Shapes: * any leading axes, H features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_WORD = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_AGAIN = 0xA0761D6478BD642F


class KeyedDropout(nn.Module):
    """Dropout that is a pure function of token keys.

    `site` tells apart the places of one network: no two of them may share it.

    Raises:
        ValueError: the rate is outside [0, 1).
    """

    features: Tensor

    def __init__(self, *, site: int, width: int, rate: float) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"dropout {rate}: expected at least 0 and less than 1")
        super().__init__()
        self.rate = rate
        self.register_buffer("features", feature_keys(site, width), persistent=False)

    def forward(self, x: Tensor, keys: Tensor, residual: Tensor | None = None) -> Tensor:
        """`residual + dropout(x)`: x and residual [*, H], keys [*] int32, one per token.

        Without a residual the dropped x alone. In evaluation and at rate 0 nothing is dropped.
        """
        if not self.training or self.rate == 0:
            return x if residual is None else residual + x
        start = x.new_zeros(()) if residual is None else residual
        add_kept: Callable[..., Tensor] = _AddKept.apply
        return add_kept(start, x, keys, self.features, self.rate)

    def extra_repr(self) -> str:
        """What `print(module)` shows."""
        return f"rate={self.rate}"


def keep(keys: Tensor, features: Tensor, rate: float, *, like: Tensor) -> Tensor:
    """1 where a feature of a token is kept and 0 elsewhere, [*, H] in the type of `like`.

    The finaliser of murmur3 over the 32 bits of `keys ^ features`, less its first shift, since both
    are mixed already. Each hash gives two draws of 16 bits, so the rate is exact to 2**-17. The
    first shift may drag the sign along: that costs one bit of 32. Nearly all passes are in place.
    """
    draws = (keys.unsqueeze(-1) ^ features).mul_(-2048144789)
    spare = draws >> 13
    draws.bitwise_xor_(spare).mul_(-1028477387)
    torch.bitwise_right_shift(draws, 16, out=spare).bitwise_and_(0xFFFF)
    halves = draws.bitwise_xor_(spare).view(torch.int16)[..., : like.shape[-1]]
    kept = torch.empty_like(like, memory_format=torch.contiguous_format)
    return torch.ge(halves, _cut(rate) - 32768, out=kept)


def again(keys: Tensor, uses: int) -> Tensor:
    """The keys [*] of tokens for a layer that has been used so often before: each use drops others.

    As the constants of sites, fixed for ever.
    """
    return keys ^ _signed(_mix(_AGAIN + uses * _STEP) >> 32) if uses else keys


def feature_keys(site: int, width: int) -> Tensor:
    """The constants of a site, int32, one for each pair of its features.

    splitmix64 over (site, pair), upper half: fixed for ever, since resumed runs depend on them.
    """
    start = _mix(site + _STEP)
    words = [_mix(start + (pair + 1) * _STEP) >> 32 for pair in range((width + 1) // 2)]
    return torch.tensor([_signed(word) for word in words]).int()


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


def _mix(x: int) -> int:
    x &= _WORD
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _WORD
    return x ^ (x >> 31)


def _cut(rate: float) -> int:
    return min(round(rate * 65536), 65535)


class _AddKept(torch.autograd.Function):
    """residual + x * kept / (1 - rate), remembering only the keys."""

    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917  (torch hands over every argument by position)
        ctx: Any, residual: Tensor, x: Tensor, keys: Tensor, features: Tensor, rate: float
    ) -> Tensor:
        ctx.save_for_backward(keys, features)
        ctx.rate, ctx.adds = rate, residual.dim() > 0
        return residual.addcmul(x, keep(keys, features, rate, like=x), value=_scale(rate))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        keys, features = ctx.saved_tensors
        kept = keep(keys, features, ctx.rate, like=grad)
        passed = grad.new_zeros(()).addcmul(grad, kept, value=_scale(ctx.rate))
        return grad if ctx.adds else None, passed, None, None, None


def _scale(rate: float) -> float:
    return 65536 / (65536 - _cut(rate))
