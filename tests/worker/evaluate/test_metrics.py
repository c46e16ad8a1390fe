"""Metrics against scikit-learn and scipy, and what they leave open against what is documented."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle
from torch import Tensor

from graft_api.errors import ConfigError, DataError, GraftError
from graft_worker.data.prepared import Problem
from graft_worker.evaluate import metrics


def random_classes(seed: int, rows: int, classes: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(classes, (rows,), generator=generator)
    logits = torch.randn(rows, classes, generator=generator)
    logits[torch.arange(rows), targets] += 0.7
    return logits.round(decimals=1), targets  # rounded, so that scores tie


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_single_label_metrics_are_scikit_learns(seed: int, classes: int) -> None:
    logits, targets = random_classes(seed, 90, classes)
    found = logits.argmax(dim=1)
    scores = logits.double().softmax(dim=1)
    if classes == 2:
        auc = oracle.roc_auc_score(targets, scores[:, 1])
    else:
        auc = oracle.roc_auc_score(targets, scores, multi_class="ovr", average="macro")
    assert metrics.measure(logits, targets, problem="single_label") == pytest.approx(
        {
            "accuracy": oracle.accuracy_score(targets, found),
            "micro_f1": oracle.f1_score(targets, found, average="micro"),
            "macro_f1": oracle.f1_score(targets, found, average="macro"),
            "auc": auc,
        },
        abs=1e-6,
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("labels", [1, 2, 6])
def test_multi_label_metrics_are_scikit_learns(seed: int, labels: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(80, labels, generator=generator).round(decimals=1)
    targets = (logits + torch.randn(80, labels, generator=generator) > 0.3).to(torch.uint8)
    found, wanted = (logits > 0).int().numpy(), targets.numpy()
    flat = labels == 1
    expected = {
        "accuracy": float((found == wanted).all(axis=1).mean()),
        "micro_f1": oracle.f1_score(wanted.ravel(), found.ravel()),
        "macro_f1": oracle.f1_score(wanted, found, average="binary" if flat else "macro"),
        "auc": oracle.roc_auc_score(wanted, logits.numpy(), average="macro"),
    }
    got = metrics.measure(logits, targets, problem="multi_label")
    assert got == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_regression_metrics_are_scikit_learns_and_scipys(seed: int, scale: float) -> None:
    generator = np.random.default_rng(seed)
    wanted = generator.integers(0, 9, 70).astype(np.float64)  # integers tie
    found = (wanted + generator.normal(0, 2, 70)).round(1)
    got = metrics.measure(
        torch.tensor(found * scale)[:, None], torch.tensor(wanted * scale), problem="regression"
    )
    expected = {
        "mse": oracle.mean_squared_error(wanted, found) * scale**2,
        "mae": oracle.mean_absolute_error(wanted, found) * scale,
        "pearson": stats.pearsonr(wanted, found).statistic,
        "spearman": stats.spearmanr(wanted, found).statistic,
    }
    assert got == pytest.approx(expected, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(2, 5))
def test_every_metric_is_a_number_in_its_range_whatever_the_split(
    seed: int, rows: int, classes: int
) -> None:
    logits, targets = random_classes(seed, rows, classes)
    found = metrics.measure(logits, targets, problem="single_label")
    assert tuple(found) == metrics.names("single_label")
    assert all(0 <= value <= 1 for value in found.values())
    assert found["micro_f1"] == pytest.approx(found["accuracy"])


@pytest.mark.parametrize(
    ("logits", "targets", "problem", "name", "value"),
    [
        pytest.param(
            [[2, 1], [0, 1]], [0, 0], "single_label", "auc", 0.5, id="auc of one class is 0.5"
        ),
        pytest.param(
            [[3, 1, 0], [0, 1, 0], [2, 0, 1]],
            [0, 1, 0],
            "single_label",
            "auc",
            1.0,
            id="auc leaves out a label that no row has",
        ),
        pytest.param(
            [[3, 1, 0], [0, 1, 0]],
            [0, 1],
            "single_label",
            "macro_f1",
            1.0,
            id="macro F1 leaves out a label that no row has and none is given",
        ),
        pytest.param(
            [[1, -1], [1, -1]],
            [[1, 0], [1, 0]],
            "multi_label",
            "macro_f1",
            0.5,
            id="macro F1 of several labels counts an absent one as zero",
        ),
        pytest.param(
            [[-1, -1]],
            [[0, 0]],
            "multi_label",
            "accuracy",
            1.0,
            id="a row without labels is right when none is given",
        ),
        pytest.param(
            [[-1, -1]], [[0, 0]], "multi_label", "micro_f1", 0.0, id="no label, none given: F1 is 0"
        ),
        pytest.param(
            [[1], [1]],
            [1.0, 2.0],
            "regression",
            "pearson",
            0.0,
            id="constant answers do not correlate",
        ),
        pytest.param(
            [[1], [2]],
            [3.0, 3.0],
            "regression",
            "spearman",
            0.0,
            id="constant targets do not correlate",
        ),
        pytest.param([[1]], [3.0], "regression", "pearson", 0.0, id="one row does not correlate"),
        pytest.param(
            [[1], [2]], [3.0, 3.0], "regression", "mse", 2.5, id="errors of constants count"
        ),
        pytest.param(
            [[5]], [0], "single_label", "accuracy", 1.0, id="a single class is always right"
        ),
    ],
)
def test_cases_that_formulas_leave_open_are_defined(
    logits: list[list[float]], targets: list[object], problem: Problem, name: str, value: float
) -> None:
    found = metrics.measure(torch.tensor(logits).float(), torch.tensor(targets), problem=problem)
    assert found[name] == pytest.approx(value)


def test_scores_that_saturate_probabilities_still_rank() -> None:
    logits = torch.tensor([[900.0], [901.0], [902.0], [903.0]])
    targets = torch.tensor([[0], [1], [0], [1]])
    assert metrics.multi_label(logits, targets)["auc"] == pytest.approx(0.75)


def test_diverged_logits_are_refused_with_a_remedy() -> None:
    logits = torch.tensor([[1.0, 2.0], [float("nan"), 0.0], [float("inf"), 0.0]])
    with pytest.raises(GraftError) as caught:
        metrics.measure(logits, torch.tensor([0, 1, 1]), problem="single_label")
    assert str(caught.value) == (
        "evaluation: 2 of 3 rows have logits that are not finite numbers\n"
        "  training has diverged: lower spec.training.optimizer.learningRate, "
        "or set spec.training.precision: fp32"
    )


def test_a_split_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="the split has no row"):
        metrics.measure(torch.zeros(0, 2), torch.zeros(0), problem="single_label")


def test_more_is_better_but_for_errors() -> None:
    assert dict(metrics.modes()) == {
        "accuracy": "max",
        "micro_f1": "max",
        "macro_f1": "max",
        "auc": "max",
        "mse": "min",
        "mae": "min",
        "pearson": "max",
        "spearman": "max",
    }


@pytest.mark.parametrize(
    ("name", "plain"),
    [("py_accuracy", "accuracy"), ("py_micro_f1", "micro_f1"), ("macro_f1", "macro_f1")],
    ids=["EasyTransfer's accuracy", "EasyTransfer's micro F1", "a name of ours"],
)
def test_names_of_easytransfer_are_aliases(name: str, plain: str) -> None:
    assert metrics.canonical(name, "single_label") == plain


def test_a_metric_of_another_problem_is_refused_by_name() -> None:
    with pytest.raises(ConfigError) as caught:
        metrics.canonical("acuracy", "multi_label")
    assert str(caught.value) == (
        "spec.training.evaluate.metric: acuracy: not a metric of multi_label data\n"
        "  did you mean accuracy? these are: accuracy, micro_f1, macro_f1, auc"
    )


def test_asking_for_names_and_modes_loads_no_torch() -> None:
    code = (
        "import sys; from graft_worker.evaluate import metrics; metrics.modes();"
        "loaded = {name.split('.')[0] for name in sys.modules};"
        "print(sorted(loaded & {'torch', 'torchmetrics', 'transformers'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
