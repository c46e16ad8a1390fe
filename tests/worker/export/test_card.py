"""The card says what the model is, what it saw, how good it is, and the exact job."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from scipy import stats

from graft_worker.export import card as cards
from graft_worker.export.contents import Comparison, DataFacts, Golden, Result
from graft_worker.export.golden import golden_text
from graft_worker.export.intervals import wilson
from graft_worker.export.profile import histogram, profile
from tests.worker import small


def text(**changed: object) -> str:
    made = small.app()
    return cards.card(small.contents(made, small.classifier(made), **changed))


def section(card: str, name: str) -> str:
    return card.split(f"## {name}\n\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize(("right", "rows"), [(0, 5), (9, 10), (763, 872), (40, 40)])
def test_the_interval_is_wilsons(right: int, rows: int) -> None:
    expected = stats.binomtest(right, rows).proportion_ci(0.95, method="wilson")
    assert wilson(right / rows, rows) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_measured_says_nothing() -> None:
    assert wilson(0.0, 0) == (0.0, 1.0)


def test_results_have_rows_and_the_interval_of_the_accuracy() -> None:
    results = (
        Result(split="validation", rows=872, metrics={"accuracy": 763 / 872, "auc": 0.95}),
        Result(split="test", rows=1000, metrics={"mse": 1.25}),
    )
    lines = section(text(results=results), "Results").splitlines()
    assert lines[:5] == [
        "| split | rows | metric | value | 95 % interval |",
        "|---|---|---|---|---|",
        "| validation | 872 | accuracy | 0.8750 | 0.8514 to 0.8953 |",
        "| validation | 872 | auc | 0.9500 |  |",
        "| test | 1,000 | mse | 1.2500 |  |",
    ]
    assert json.loads(cards.results_json(results))["validation"] == {
        "rows": 872,
        "metrics": {"accuracy": 763 / 872, "auc": 0.95},
        "interval95": {"accuracy": pytest.approx([0.8514, 0.8953], abs=1e-4)},
    }


def test_data_have_source_rows_hash_and_histogram() -> None:
    facts = DataFacts(
        split="train", source="a|b.tsv", sha256="ab" * 32, rows=3, histogram={"x|y": 1, "z": 2}
    )
    assert section(text(data=(facts,)), "Data").strip().splitlines() == [
        "| split | source | rows | sha256 |",
        "|---|---|---|---|",
        f"| train | `a|b.tsv` | 3 | `{'ab' * 32}` |",
        "",
        "Rows of each label:",
        "",
        "| split | label | rows |",
        "|---|---|---|",
        "| train | z | 2 |",
        "| train | x\\|y | 1 |",
    ]


def test_the_exact_job_can_be_read_back() -> None:
    spec = {"spec": {"app": {"labels": ("是", "no")}, "training": {"learningRate": 3e-05}}}
    block = section(text(spec=spec), "Job").split("```yaml\n", 1)[1].split("```", 1)[0]
    assert yaml.safe_load(block) == {
        "spec": {"app": {"labels": ["是", "no"]}, "training": {"learningRate": 3e-05}}
    }


def test_the_head_says_app_method_size_and_labels() -> None:
    assert "single label, labels `bad`, `good`." in text()
    parameters = sum(p.numel() for p in small.classifier(small.app()).parameters())
    assert f"{parameters:,} parameters, texts of at most 12 tokens." in text()


def test_equal_contents_give_equal_text() -> None:
    assert text() == text()


def test_only_architectures_of_the_library_are_said_to_load_there() -> None:
    assert "AutoModelForSequenceClassification" in section(text(), "Loading")
    assert "AutoModel" not in section(text(config={"model_type": "distilbert"}), "Loading")


def test_golden_rows_are_eight_lines_at_most() -> None:
    rows = [Golden(inputs={"text": f"很好 {i}"}, logits=(0.5, i / 3)) for i in range(11)]
    lines = [json.loads(line) for line in golden_text(rows).splitlines()]
    assert len(lines) == 8
    assert lines[1] == {
        "inputs": {"text": "很好 1"},
        "logits": [0.5, 0.333333],
        "tolerance": 0.001,
    }


def test_the_profile_counts_labels_and_cuts_lengths() -> None:
    lengths = np.arange(101)
    targets = np.array([1] * 60 + [0] * 41)
    found = profile(lengths, targets, unknown=0.125, problem="single_label", labels=("a", "b"))
    assert found == {
        "rows": 101,
        "tokens": {
            "p00": 0, "p05": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95, "p99": 99, "p100": 100,
        },
        "unknownTokens": 0.125,
        "labels": {"a": 41, "b": 60},
    }  # fmt: skip


def test_the_profile_of_numbers_cuts_their_values() -> None:
    lengths, values = np.array([3, 4]), np.array([0.5, 1.5])
    found = profile(lengths, values, unknown=0.0, problem="regression", labels=())
    assert found["values"]["p50"] == 1.0
    assert "labels" not in found


def test_rows_with_several_labels_count_for_each() -> None:
    targets = np.array([[1, 0, 1], [0, 0, 1]], np.uint8)
    assert histogram(targets, ("a", "b", "c")) == {"a": 1, "b": 0, "c": 2}


def test_a_student_is_told_of_beside_its_teacher_and_other_models_are_not() -> None:
    both = Comparison(split="test", metric="accuracy", teacher=0.92, student=0.9)
    assert section(text(comparison=both), "Beside its teacher") == (
        "accuracy on the test split: teacher 0.9200, this student 0.9000.\n"
    )
    digest = "sha256:" + "2" * 64
    assert f"Its teacher was `{digest}`." in section(text(teacher=digest), "Origin")
    assert "teacher" not in text()
