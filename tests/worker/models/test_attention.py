"""Short rows that learn are multiplied, all others go through the fused kernel: one result."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from graft_worker.models.attention import attend

R, W, H, A = 3, 16, 24, 4


def drawn(*, learns: bool) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(R, W, H, generator=generator).requires_grad_(learns) for _ in "qkv"]


@pytest.mark.parametrize("masked", [False, True], ids=["whole rows", "two segments a row"])
def test_products_give_what_the_fused_kernel_gives(masked: bool) -> None:
    of = torch.arange(W).ge(W // 3).expand(R, W)
    mask = of[:, None, :, None] == of[:, None, None, :] if masked else None
    learnt = attend(*drawn(learns=True), heads=A, seen=mask)
    answered = attend(*drawn(learns=False), heads=A, seen=mask)
    torch.testing.assert_close(learnt, answered, atol=1e-6, rtol=1e-5)


def test_their_gradients_are_those_of_the_fused_kernel() -> None:
    ours, theirs = drawn(learns=True), drawn(learns=True)
    mask = torch.ones(R, 1, W, W, dtype=torch.bool).tril()
    torch.autograd.backward(attend(*ours, heads=A, seen=mask).square().sum())
    parts = (x.view(R, W, A, -1).transpose(1, 2) for x in theirs)
    fused = torch.nn.functional.scaled_dot_product_attention(*parts, attn_mask=mask)
    torch.autograd.backward(fused.square().sum())
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own.grad, other.grad, atol=1e-5, rtol=1e-4)


def test_scores_stay_as_narrow_as_the_products_that_made_them() -> None:
    q, k, v = (x.detach().bfloat16().requires_grad_() for x in drawn(learns=True))
    with torch.autocast("cpu", torch.bfloat16):
        out = attend(q, k, v, heads=A, seen=None)
    assert out.dtype == torch.bfloat16
    wide = attend(*drawn(learns=True), heads=A, seen=None)
    torch.testing.assert_close(out.float(), wide, atol=3e-2, rtol=3e-2)
