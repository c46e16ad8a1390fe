"""First tokens alone are what the whole last layer gives at them: states, gradients, dropout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from graft_worker.data.batch import Batch
from graft_worker.models.bert import BertEncoder
from graft_worker.models.build import load_encoder
from graft_worker.models.firsts import firsts_of
from tests.worker.models.texts_of_ids import library_bert, packed, padded, texts

LENGTHS = (19, 3, 11, 8, 2)
IDS = texts(LENGTHS, vocabulary=97)
BATCHES = [
    pytest.param(padded(IDS), id="one text per row"),
    pytest.param(padded(IDS, samples=[2, 0, 4]), id="one text per row, in another order"),
    pytest.param(padded(texts((7, 7, 7), vocabulary=97)), id="rows without padding"),
    pytest.param(packed(IDS, [[0, 4], [1, 2, 3]], 24), id="two rows of two and three texts"),
    pytest.param(packed(IDS, [[3, 1], [], [4, 2, 0]], 40), id="an empty row between"),
    pytest.param(packed(IDS, [[4, 3, 2, 1, 0]], 43), id="one full row"),
]


def encoder_in(folder: Path, **changed: object) -> BertEncoder:
    library_bert(folder, **changed)
    encoder = load_encoder(folder, random=False, seed=0, vocabulary=None)
    assert isinstance(encoder, BertEncoder)
    return encoder


def outcome(
    encoder: BertEncoder, states: Callable[[Batch], Tensor], batch: Batch
) -> tuple[Tensor, dict[str, Tensor]]:
    """First states and the gradient of a sum that weighs every one of their numbers."""
    encoder.zero_grad()
    found = states(batch)
    weigh = torch.linspace(-1, 1, found.numel()).view_as(found)
    torch.autograd.backward((found * weigh).sum())
    grads = {n: p.grad.clone() for n, p in encoder.named_parameters() if p.grad is not None}
    return found.detach(), grads


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("training", [True, False])
def test_states_and_gradients_are_those_of_the_whole_layer(
    tmp_path: Path, batch: Batch, layers: int, training: bool
) -> None:
    encoder = encoder_in(tmp_path, num_hidden_layers=layers, hidden_dropout_prob=0.3)
    encoder.train(training)
    whole = outcome(encoder, lambda b: encoder(b).flatten(0, 1)[b.first], batch)
    alone = outcome(encoder, encoder.first, batch)
    torch.testing.assert_close(alone[0], whole[0], atol=2e-6, rtol=0)
    assert alone[1].keys() == whole[1].keys()
    for name, grad in whole[1].items():
        close = 2e-6 * max(1.0, float(grad.abs().max()))
        torch.testing.assert_close(alone[1][name], grad, atol=close, rtol=0, msg=name)


def test_half_precision_stays_as_near_as_its_rounding(tmp_path: Path) -> None:
    encoder = encoder_in(tmp_path).eval()
    batch = packed(IDS, [[0, 4], [1, 2, 3]], 24)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        whole, alone = encoder(batch).flatten(0, 1)[batch.first], encoder.first(batch)
    torch.testing.assert_close(alone.float(), whole.float(), atol=0.05, rtol=0)


def test_spare_queries_repeat_the_first_slot_of_their_row() -> None:
    firsts = firsts_of(packed(IDS, [[4, 1], [0], []], 24))
    assert firsts.slots.tolist() == [24, 2, 0]
    assert firsts.asking.tolist() == [[0, 2], [24, 24], [48, 48]]
    assert firsts.places.tolist() == [2, 1, 0]
