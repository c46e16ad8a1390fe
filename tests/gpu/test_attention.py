"""On a GPU tokens of a segment see each other and nobody else, whichever kernel computes it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from graft_worker.data import batches
from graft_worker.data.batch import Batch
from graft_worker.data.blocks import Block
from graft_worker.data.shards import Shards
from graft_worker.distributed.process import Process
from graft_worker.models import attention
from graft_worker.models.attention import Runs, attend, sight
from graft_worker.models.bert import BertEncoder
from graft_worker.models.encoder import EncoderConfig

LENGTHS = np.array([37, 5, 64, 12, 12, 1, 50, 9], np.int32)
SIZES = {"vocabulary": 101, "hidden": 64, "layers": 3, "heads": 2, "intermediate": 128}


def batch(device: torch.device, *, packing: bool = True) -> Batch:
    tokens = np.random.default_rng(1).integers(5, 101, int(LENGTHS.sum()))
    shards = Shards.in_memory(Block(tokens=tokens, lengths=LENGTHS, per_example={}))
    rows = np.arange(len(LENGTHS))
    return batches.collate(shards, rows, keys=None, width=64, packing=packing).to(device)


def half(values: list[Tensor]) -> list[Tensor]:
    return [value.half().detach().requires_grad_() for value in values]


@pytest.mark.parametrize("packing", [True, False])
def test_runs_and_masks_agree_in_answers_and_gradients(gpu: Process, packing: bool) -> None:
    made = batch(gpu.device, packing=packing)
    with torch.autocast("cuda", dtype=torch.float16):
        runs = sight(made)
    assert isinstance(runs, Runs)
    torch.manual_seed(0)
    shape = (*made.ids.shape, SIZES["hidden"])
    exact = [torch.randn(shape, device=gpu.device) for _ in range(3)]
    real = (made.segments > 0).unsqueeze(-1)
    found: list[list[Tensor]] = []
    exact = [each.requires_grad_() for each in exact]
    for inputs, seen in ((exact, attention.mask(made)), (half(exact), runs)):
        answers = attend(*inputs, SIZES["heads"], seen)
        torch.autograd.backward((answers.float() * real).square().sum())
        found.append(
            [answers.float() * real, *(i.grad.float() for i in inputs if i.grad is not None)]
        )
    for wanted, got in zip(*found, strict=True):
        torch.testing.assert_close(got, wanted, atol=2e-2, rtol=2e-2)


def test_an_encoder_in_half_precision_stays_as_near_as_its_rounding(gpu: Process) -> None:
    config = EncoderConfig(architecture="bert", max_positions=64, **SIZES)  # type: ignore[arg-type]
    encoder = BertEncoder.random(config, seed=1).eval()
    with torch.no_grad():
        wanted = encoder(batch(torch.device("cpu"))).flatten(0, 1)
        firsts = encoder.first(batch(torch.device("cpu")))
        made, moved = batch(gpu.device), encoder.to(gpu.device)
        exact = moved(made).flatten(0, 1).cpu()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            rough, alone = moved(made).flatten(0, 1).float().cpu(), moved.first(made).float().cpu()
    slots = (made.segments > 0).flatten().cpu()
    torch.testing.assert_close(exact[slots], wanted[slots], atol=1e-4, rtol=0)
    torch.testing.assert_close(rough[slots], wanted[slots], atol=0.1, rtol=0)
    torch.testing.assert_close(alone, firsts, atol=0.1, rtol=0)
