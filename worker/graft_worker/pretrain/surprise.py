"""-log p of true ids among many, without a wide copy of all logits.

torch's cross entropy wants logits in fp32: a copy of all of them, their log-softmax, and the
gradients of both, each of M * V numbers. Here a few rows at a time are widened, while they are in
the cache; what stays is the logits as the product gave them, and one number a row.

M tokens asked, V ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

BYTES = {"cpu": 1 << 20, "cuda": 1 << 28}  # of widened logits at a time: a core's own cache


def surprise(logits: Tensor, answers: Tensor) -> Tensor:
    """-log softmax(logits [M, V]) at the answers [M], in fp32; each row's by itself."""
    found: Callable[..., Tensor] = _Surprise.apply
    return found(logits, answers)


class _Surprise(torch.autograd.Function):
    """logsumexp - logit of the answer; backward softmax - 1 at the answer."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, answers: Tensor) -> Tensor:
        sums = logits.new_empty(len(logits), dtype=torch.float32)
        for some in _portions(logits):
            sums[some] = torch.logsumexp(logits[some].float(), 1)
        ctx.save_for_backward(logits, answers, sums)
        return sums - logits.gather(1, answers.unsqueeze(1)).squeeze(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        logits, answers, sums = ctx.saved_tensors
        slopes = torch.empty_like(logits)
        for some in _portions(logits):
            scale = grad[some].unsqueeze(1)
            wide = logits[some].to(torch.float32, copy=True)
            wide.sub_(sums[some].unsqueeze(1)).exp_().mul_(scale)
            slopes[some] = wide.scatter_add_(1, answers[some].unsqueeze(1), -scale)
        return slopes, None


def _portions(logits: Tensor) -> Iterator[slice]:
    rows = max(1, BYTES.get(logits.device.type, BYTES["cpu"]) // (4 * logits.shape[1]))
    return (slice(at, at + rows) for at in range(0, len(logits), rows))
