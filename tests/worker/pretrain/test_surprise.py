"""The loss of hidden words beside torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from graft_worker.pretrain import surprise as module
from graft_worker.pretrain.surprise import surprise

M, V = 13, 50


def drawn(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = (4 * torch.randn(M, V, generator=generator)).to(dtype).requires_grad_()
    answers = torch.randint(V, (M,), generator=generator)
    return logits, answers, torch.rand(M, generator=generator)


@pytest.mark.parametrize(
    ("dtype", "close"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)], ids=["fp32", "bf16"]
)
def test_losses_and_gradients_are_those_of_cross_entropy(dtype: torch.dtype, close: float) -> None:
    logits, answers, shares = drawn(dtype)
    ours = surprise(logits, answers)
    torch.autograd.backward((ours * shares).sum())
    slopes, logits.grad = logits.grad, None
    theirs = F.cross_entropy(logits.float(), answers, reduction="none")
    torch.autograd.backward((theirs * shares).sum())
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-6)
    assert slopes is not None
    torch.testing.assert_close(slopes, logits.grad, atol=close, rtol=close)


def test_portions_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for size in (4 * V, 3 * 4 * V, 1 << 20):  # one row at a time, three, all
        monkeypatch.setitem(module.BYTES, "cpu", size)
        logits, answers, shares = drawn(torch.float32)
        ours = surprise(logits, answers)
        torch.autograd.backward((ours * shares).sum())
        found.append((ours.detach(), logits.grad))
    for losses, slopes in found[1:]:
        assert torch.equal(losses, found[0][0])
        assert slopes is not None
        assert found[0][1] is not None
        assert torch.equal(slopes, found[0][1])


def test_nothing_asked_is_no_loss() -> None:
    logits = torch.zeros(0, V, requires_grad=True)
    losses = surprise(logits, torch.zeros(0, dtype=torch.int64))
    torch.autograd.backward(losses.sum())
    assert losses.shape == (0,)
    assert logits.grad is not None
