"""Loss and predictions against the formulas written out, on the logits of a real tiny model."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from graft_worker.data import batches
from graft_worker.data.batch import Batch
from graft_worker.data.prepared import Problem
from graft_worker.data.shards import Shards
from tests.worker import small

VALUES: dict[Problem, list[Any]] = {
    "single_label": ["good", "bad", "bad"],
    "multi_label": [("slow",), (), ("dull", "bright")],
    "regression": [2.5, -1.0, 0.0],
}
TEXTS = ["good film", "the plot was not very good", "end"]
PROBLEMS = pytest.mark.parametrize("problem", ["single_label", "multi_label", "regression"])


def batch_of(problem: Problem) -> Batch:
    rows = [{"text": t, "label": v} for t, v in zip(TEXTS, VALUES[problem], strict=True)]
    block = small.app(problem=problem).features(small.tokenizer(), 12)(small.rows(rows))
    shards = Shards.in_memory(block)
    return batches.collate(shards, [0, 1, 2], keys=None, width=12, packing=False)


def written_out(problem: Problem, row: list[float], value: Any) -> float:
    labels = small.LABELS[problem]
    if problem == "regression":
        return (row[0] - value) ** 2
    if problem == "single_label":
        return math.log(sum(math.exp(x) for x in row)) - row[labels.index(value)]
    wanted = [float(label in value) for label in labels]
    terms = (math.log1p(math.exp(x)) - y * x for x, y in zip(row, wanted, strict=True))
    return sum(terms) / len(labels)


@PROBLEMS
def test_the_loss_is_the_sum_of_the_written_out_formula(problem: Problem) -> None:
    made, batch = small.app(problem=problem), batch_of(problem)
    logits = small.classifier(made)(batch)
    pairs = zip(logits.tolist(), VALUES[problem], strict=True)
    expected = sum(written_out(problem, row, value) for row, value in pairs)
    assert made.loss(logits, batch).item() == pytest.approx(expected, rel=1e-5)


@PROBLEMS
def test_the_loss_of_a_batch_is_the_sum_of_the_losses_of_its_rows(problem: Problem) -> None:
    made, batch = small.app(problem=problem), batch_of(problem)
    logits = small.classifier(made)(batch)
    target = batch.targets["target"]
    alone = sum(
        made.loss(logits[i : i + 1], replace(batch, targets={"target": target[i : i + 1]})).item()
        for i in range(3)
    )
    assert made.loss(logits, batch).item() == pytest.approx(alone, rel=1e-6)


@PROBLEMS
def test_the_loss_is_computed_in_fp32_whatever_the_logits(problem: Problem) -> None:
    batch = batch_of(problem)
    made = small.app(problem=problem)
    logits = small.classifier(made)(batch)
    half = made.loss(logits.bfloat16(), batch)
    assert half.dtype == torch.float32
    assert half.item() == made.loss(logits.bfloat16().float(), batch).item()


@PROBLEMS
def test_the_loss_teaches_every_weight_of_the_head(problem: Problem) -> None:
    batch, made = batch_of(problem), small.app(problem=problem)
    module = small.classifier(made)
    made.loss(module(batch), batch).backward()
    for parameter in module.classifier.parameters():
        assert parameter.grad is not None
        assert bool((parameter.grad != 0).all())


def test_a_label_is_predicted_with_probabilities_in_the_order_of_labels() -> None:
    logits = torch.tensor([[0.0, math.log(3)], [1.0, 1.0]])
    assert small.app().predictions(logits) == [
        {
            "predictions": "good",
            "probabilities": pytest.approx([0.25, 0.75]),
            "logits": pytest.approx([0.0, math.log(3)]),
        },
        {"predictions": "bad", "probabilities": [0.5, 0.5], "logits": [1.0, 1.0]},
    ]


def test_all_labels_over_one_half_are_predicted() -> None:
    logits = torch.tensor([[0.1, -0.1, 2.0], [-1.0, 0.0, -1.0]])
    found = small.app(problem="multi_label").predictions(logits)
    assert [each["predictions"] for each in found] == [["dull", "bright"], []]
    assert found[1]["probabilities"][1] == 0.5


def test_a_number_is_predicted_without_probabilities() -> None:
    assert small.app(problem="regression").predictions(torch.tensor([[1.5], [-2.0]])) == [
        {"predictions": 1.5, "probabilities": [], "logits": [1.5]},
        {"predictions": -2.0, "probabilities": [], "logits": [-2.0]},
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=2), min_size=1, max_size=9)
)
def test_the_prediction_is_the_label_of_the_greatest_probability(rows: list[list[float]]) -> None:
    for found in small.app().predictions(torch.tensor(rows)):
        best = max(found["probabilities"])
        assert (
            found["probabilities"][small.LABELS["single_label"].index(found["predictions"])] == best
        )
        assert sum(found["probabilities"]) == pytest.approx(1.0, abs=1e-6)


@PROBLEMS
def test_metrics_are_those_of_the_problem(problem: Problem) -> None:
    from graft_worker.evaluate import metrics

    batch, made = batch_of(problem), small.app(problem=problem)
    logits: Tensor = small.classifier(made)(batch).detach()
    target = batch.targets["target"]
    assert made.metrics(logits, target) == metrics.measure(logits, target, problem=problem)


def test_the_head_starts_from_its_seed_alone() -> None:
    first, again, other = (
        small.app().model(small.encoder(), 0.1, seed=seed).state_dict() for seed in (3, 3, 4)
    )
    assert torch.equal(first["classifier.weight"], again["classifier.weight"])
    assert not torch.equal(first["classifier.weight"], other["classifier.weight"])
