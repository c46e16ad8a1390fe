"""Packed rows, padded rows and any grouping give one and the same result and gradient."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from graft_worker.data.batch import Batch
from graft_worker.models.build import load_encoder
from graft_worker.models.heads import SequenceClassifier
from tests.worker.models.texts_of_ids import library_bert, packed, padded, texts

LENGTHS = (19, 3, 11, 8, 2)
ROWS = [[0, 4], [1, 2, 3]]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    library_bert(tmp_path)
    return tmp_path


def classifier(folder: Path, dropout: float = 0.1) -> SequenceClassifier:
    encoder = load_encoder(folder, random=False, seed=0, vocabulary=None)
    return SequenceClassifier(encoder, outputs=3, dropout=dropout, seed=5).train()


def outcome(folder: Path, batches: list[Batch]) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits by sample and the gradients of a sum over all samples, dropout at work."""
    module = classifier(folder)
    logits = torch.zeros(len(LENGTHS), 3)
    for batch in batches:
        found = module(batch)
        found.logsumexp(dim=1).sum().backward()
        logits[batch.samples] = found.detach()
    return logits, {name: p.grad for name, p in module.named_parameters() if p.grad is not None}


def assert_close(found: tuple[Tensor, dict[str, Tensor]], wanted: tuple[Tensor, dict[str, Tensor]]):
    assert relative(found[0], wanted[0]) < 1e-6
    assert found[1].keys() == wanted[1].keys()
    whole = torch.cat([grad.flatten() for grad in wanted[1].values()])
    other = torch.cat([grad.flatten() for grad in found[1].values()])
    assert relative(other, whole) < 1e-6


def relative(found: Tensor, wanted: Tensor) -> float:
    difference = (found.detach().double() - wanted.detach().double()).norm()
    return float(difference / wanted.detach().double().norm())


@pytest.mark.parametrize(
    "groups",
    [
        pytest.param([(ROWS, 24)], id="packed into two rows"),
        pytest.param([(ROWS, 40)], id="packed into wider rows"),
        pytest.param([([[4, 3, 2, 1, 0]], 43)], id="packed into one full row, backwards"),
        pytest.param([([[0, 4]], 21), ([[2], [1], [3]], 11)], id="two micro-batches"),
        pytest.param([([[s]], n) for s, n in enumerate(LENGTHS)], id="one by one, without padding"),
    ],
)
def test_outputs_and_gradients_are_those_of_padded_rows(folder: Path, groups: list[tuple]) -> None:
    ids = texts(LENGTHS, vocabulary=97)
    wanted = outcome(folder, [padded(ids)])
    assert_close(outcome(folder, [packed(ids, rows, width) for rows, width in groups]), wanted)


def test_dropout_is_at_work_in_these_comparisons(folder: Path) -> None:
    batch = padded(texts(LENGTHS, vocabulary=97))
    module = classifier(folder)
    trained = module(batch)
    assert relative(trained, module.eval()(batch)) > 1e-2


def test_texts_of_one_row_do_not_see_each_other(folder: Path) -> None:
    module = classifier(folder).eval()
    ids = texts(LENGTHS, vocabulary=97)
    before = module(packed(ids, ROWS, 24))
    ids[4] = ids[4].flip(0) % 90 + 5
    after = module(packed(ids, ROWS, 24))
    assert torch.equal(before[:4], after[:4])
    assert not torch.equal(before[4], after[4])


def test_the_global_generator_is_neither_used_nor_moved(folder: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    module = classifier(folder)
    module(padded(texts(LENGTHS, vocabulary=97))).sum().backward()
    load_encoder(folder, random=True, seed=1, vocabulary=None)
    assert torch.equal(before, torch.get_rng_state())
