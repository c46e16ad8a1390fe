"""What a student learns whose layers follow the teacher's; every loss against its formula."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from graft_api.methods.probes import Probes as Method
from graft_worker.data import batches
from graft_worker.data.batch import Batch
from graft_worker.data.shards import Shards
from graft_worker.distill.following import ProbesTask, followed
from graft_worker.models.probes import ProbedClassifier, Probes
from tests.worker import small

APP = small.app()
# Of four rows the answers of a teacher of three layers: embeddings, two layers, head.
TOLD = np.random.default_rng(3).normal(size=(4, 4, 2)).astype(np.float32)
ROWS = [2, 0, 3, 1]  # as they stand in the batch
LABELS = (1, 0, 1, 0)  # of the rows in the split


def batch(**columns: Any) -> Batch:
    texts = ("good film", "the plot", "dull and slow", "bad")
    names = [small.LABELS["single_label"][label] for label in LABELS]
    rows = [{"text": t, "label": name} for t, name in zip(texts, names, strict=True)]
    shards = Shards.in_memory(APP.features(small.tokenizer(), 12)(small.rows(rows)))
    shards = replace(shards, per_example={**shards.per_example, **columns})
    return batches.collate(shards, ROWS, keys=None, width=0, packing=False)


def task(**method: Any) -> ProbesTask:
    probes = Probes(layers=2, hidden=16, outputs=2).draw(seed=1)
    module = ProbedClassifier(small.classifier(APP), probes)
    return ProbesTask(app=APP, module=module, method=Method(**method))


def square(student: list[float], teacher: list[float]) -> float:
    return sum((t - s) ** 2 for s, t in zip(student, teacher, strict=True)) / len(student)


def cross_entropy(logits: list[float], label: int) -> float:
    powers = np.exp(np.array(logits, np.float64))
    return float(-np.log(powers[label] / powers.sum()))


def written(answers: list[Any], weight: float, labelled: tuple[int, ...]) -> float:
    """The loss number by number: L = CE + mse(head) + weight * sum over layers (C2)."""
    total = 0.0
    for place, row in enumerate(ROWS):
        embeddings, layer, head = answers[place]
        told = TOLD[row].tolist()
        total += cross_entropy(head, LABELS[row]) * labelled[row]
        total += square(head, told[3])
        total += weight * (square(embeddings, told[0]) + square(layer, told[2]))  # ceil(1 * 3 / 2)
    return total


@pytest.mark.parametrize("weight", [1.0, 0.25, 0.0])
def test_a_loss_is_its_formula(weight: float) -> None:
    told, given = task(weight=weight), batch(teacher=TOLD)
    answers = told.module(given).detach()
    wanted = written(answers.tolist(), weight, (1, 1, 1, 1))
    assert told.loss(answers, given).item() == pytest.approx(wanted, rel=1e-5)


def test_a_row_without_a_label_follows_the_teacher_alone() -> None:
    labelled = np.array([1, 0, 1, 0], np.uint8)
    told, given = task(), batch(teacher=TOLD, labelled=labelled)
    answers = told.module(given).detach()
    wanted = written(answers.tolist(), 1.0, (1, 0, 1, 0))
    assert told.loss(answers, given).item() == pytest.approx(wanted, rel=1e-5)


def test_a_split_without_answers_is_measured_by_the_head_against_its_labels() -> None:
    told, given = task(), batch()
    answers = told.module(given)
    assert told.loss(answers, given) == APP.loss(told.module.model(given), given)
    kept, targets = told.kept(answers, given)
    assert torch.equal(kept, answers[:, 2])
    assert targets.tolist() == [LABELS[row] for row in ROWS]


@pytest.mark.parametrize(
    ("layers", "of", "wanted"),
    [
        (3, 12, [0, 4, 8, 12]),
        (4, 6, [0, 2, 3, 5, 6]),
        (1, 5, [0, 5]),
        (2, 2, [0, 1, 2]),
        (3, 2, [0, 1, 2, 2]),  # a student deeper than its teacher
    ],
)
def test_layers_follow_in_proportion(layers: int, of: int, wanted: list[int]) -> None:
    assert followed(layers, of=of) == wanted


def test_probes_are_trained_and_stay_behind() -> None:
    told = task()
    decaying, plain = told.parameter_groups(0.01)
    trained = [id(p) for group in (decaying, plain) for p in group["params"]]
    assert {id(told.module.probes.weight), id(told.module.probes.bias)} <= set(trained)
    assert id(told.module.probes.bias) in [id(p) for p in plain["params"]]
    weights = told.student(told.module.state_dict())
    assert weights.keys() == small.classifier(APP).state_dict().keys()
