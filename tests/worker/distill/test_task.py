"""What the student learns from: answers, labels, or both; row for row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from graft_api.methods.vanilla import Vanilla
from graft_worker.data import batches
from graft_worker.data.batch import Batch
from graft_worker.data.shards import Shards
from graft_worker.distill.losses import imitation
from graft_worker.distill.task import DistillTask
from tests.worker import small

APP = small.app()
ANSWERS = np.array([[2.0, -1.0], [0.5, 0.25], [-3.0, 3.0], [0.0, 1.0]], np.float32)
LABELS = ("good", "bad", "good", "bad")


def batch(**columns: Any) -> Batch:
    """Four texts with labels, read in another order than they stand in."""
    texts = ("good film", "the plot", "dull and slow", "bad")
    rows = [{"text": t, "label": label} for t, label in zip(texts, LABELS, strict=True)]
    shards = Shards.in_memory(APP.features(small.tokenizer(), 12)(small.rows(rows)))
    shards = replace(shards, per_example={**shards.per_example, **columns})
    return batches.collate(shards, [2, 0, 3, 1], keys=None, width=0, packing=False)


def task(**method: Any) -> DistillTask:
    return DistillTask(app=APP, module=small.classifier(APP), method=Vanilla(**method))


def learned(told: DistillTask, given: Batch) -> tuple[Tensor, Tensor]:
    """The loss, and its gradient at the head."""
    loss = told.loss(told.module(given), given)
    loss.backward()  # type: ignore[no-untyped-call]
    gradient = told.module.classifier.weight.grad
    assert isinstance(gradient, Tensor)
    return loss.detach(), gradient


def test_alpha_0_is_learning_from_labels_to_the_bit() -> None:
    loss, gradient = learned(task(alpha=0.0), batch(teacher=ANSWERS))
    plain = task()
    given = batch()
    wanted = APP.loss(plain.module(given), given)
    wanted.backward()  # type: ignore[no-untyped-call]
    assert loss == wanted
    assert torch.equal(gradient, plain.module.classifier.weight.grad)  # type: ignore[arg-type]


def test_alpha_1_reads_no_label() -> None:
    told, given = task(alpha=1.0, loss="mse"), batch(teacher=ANSWERS)
    turned = replace(given, targets={**given.targets, "target": 1 - given.targets["target"]})
    loss, gradient = learned(told, given)
    again, same = learned(task(alpha=1.0, loss="mse"), turned)
    assert loss == again
    assert torch.equal(gradient, same)


def test_answers_follow_their_rows_wherever_these_stand_in_a_batch() -> None:
    told, given = task(alpha=1.0, loss="mse"), batch(teacher=ANSWERS)
    logits = torch.tensor(ANSWERS)[[2, 0, 3, 1]]
    assert told.loss(logits, given).item() == 0.0


def test_a_loss_is_the_weighted_sum_of_both() -> None:
    told, given = task(alpha=0.25, temperature=2.0), batch(teacher=ANSWERS)
    logits = told.module(given)
    answers = torch.tensor(ANSWERS)[[2, 0, 3, 1]]
    apart = imitation(logits, answers, form="kl", temperature=2.0, problem="single_label")
    wanted = 0.25 * apart.sum() + 0.75 * APP.loss(logits, given)
    assert told.loss(logits, given).item() == pytest.approx(wanted.item(), rel=1e-6)


def test_a_row_without_a_label_learns_from_the_answer_alone() -> None:
    labelled = np.array([1, 0, 1, 0], np.uint8)
    told, given = task(alpha=0.25), batch(teacher=ANSWERS, labelled=labelled)
    turned = replace(given, targets={**given.targets, "target": given.targets["target"].clone()})
    turned.targets["target"][2:] = 1 - turned.targets["target"][2:]  # rows 3 and 1 of the split
    assert told.loss(told.module(given), given) == told.loss(told.module(given), turned)
    bare, whole = batch(teacher=ANSWERS, labelled=0 * labelled), batch(teacher=ANSWERS)
    logits = told.module(given)
    apart = told.loss(logits, bare)
    assert apart.item() == pytest.approx(
        (told.loss(logits, whole) - 0.75 * APP.loss(logits, whole)).item(), rel=1e-5
    )


def test_a_split_without_answers_is_measured_against_its_labels() -> None:
    told, given = task(alpha=1.0), batch()
    logits = told.module(given)
    assert told.loss(logits, given) == APP.loss(logits, given)


def test_everything_is_trained_and_only_matrices_decay() -> None:
    told = task()
    decaying, plain = told.parameter_groups(0.01)
    assert (decaying["weight_decay"], plain["weight_decay"]) == (0.01, 0.0)
    assert {p.ndim for p in plain["params"]} == {1}
    assert len(decaying["params"]) + len(plain["params"]) == len(list(told.module.parameters()))
