"""Evaluation of a published model: metrics of every row, or the places of what does not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from graft_api.errors import DataError, StoreError
from graft_worker.data.prepared import Problem
from graft_worker.evaluate import metrics
from graft_worker.run import inference
from graft_worker.run.evaluate import evaluate
from graft_worker.run.predict import Reading
from tests.worker import small

TEXTS = ["good film", "bad end", "", "the plot was very slow", "good good", "很好", "dull"]


def published(folder: Path, problem: Problem, **changed: Any) -> Path:
    return small.published(folder, small.app(problem=problem), **changed).uri


def write(path: Path, labels: list[Any]) -> str:
    rows = [{"text": TEXTS[i % 7], "label": label} for i, label in enumerate(labels)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.mark.parametrize(
    ("problem", "labels", "targets"),
    [
        pytest.param(
            "single_label", ["bad", "good", " good ", "bad"] * 2, [0, 1, 1, 0] * 2,
            id="a label, whatever space is around it",
        ),
        pytest.param(
            "multi_label", [["slow"], "dull,bright", [], "slow"],
            [[0, 1, 0], [1, 0, 1], [0, 0, 0], [0, 1, 0]],
            id="sets of labels, as lists and as texts",
        ),
        pytest.param(
            "regression", [1, "2.5", -3.0], [1.0, 2.5, -3.0], id="numbers, also in quotes"
        ),
    ],
)  # fmt: skip
def test_metrics_are_those_of_every_row(
    tmp_path: Path, problem: Problem, labels: list[Any], targets: list[Any]
) -> None:
    artefact = published(tmp_path, problem)
    found = evaluate(artefact, write(tmp_path / "in.jsonl", labels))
    rows = small.rows([{"text": TEXTS[i % 7]} for i in range(len(labels))])
    logits = inference.logits(inference.open_model(artefact), rows)
    expected = metrics.measure(logits, torch.tensor(targets), problem=problem)
    assert found == pytest.approx(expected, abs=1e-5)


def test_all_pieces_of_a_long_file_count(tmp_path: Path) -> None:
    artefact = published(tmp_path, "single_label")
    model = inference.open_model(artefact)
    logits = inference.logits(model, small.rows([{"text": text} for text in TEXTS]))
    answers = [each["predictions"] for each in model.app.predictions(logits)]
    labels = [answers[i % 7] for i in range(4200)]
    labels[-2:] = ["bad" if label == "good" else "good" for label in labels[-2:]]
    found = evaluate(artefact, write(tmp_path / "in.jsonl", labels))
    assert found["accuracy"] == pytest.approx(1 - 2 / 4200)


def test_labels_may_stand_under_another_separator(tmp_path: Path) -> None:
    artefact = published(tmp_path, "multi_label", params={"separator": "|"})
    piped = write(tmp_path / "piped.jsonl", ["slow|dull", "bright"])
    listed = write(tmp_path / "listed.jsonl", [["slow", "dull"], ["bright"]])
    assert evaluate(artefact, piped) == evaluate(artefact, listed)


def test_one_class_alone_is_still_measured(tmp_path: Path) -> None:
    found = evaluate(
        published(tmp_path, "single_label"), write(tmp_path / "in.jsonl", ["good", "good"])
    )
    assert found["auc"] == 0.5


def test_unknown_labels_are_refused_with_their_places(tmp_path: Path) -> None:
    artefact = published(tmp_path, "single_label")
    source = write(tmp_path / "in.jsonl", ["good", "goood", "bad", "goood", None])
    with pytest.raises(DataError) as caught:
        evaluate(artefact, source)
    assert str(caught.value).replace(source, "IN") == (
        "the data cannot be used:\n"
        "  IN: label: empty: 1 row, at IN:5\n"
        "  IN: label: unknown label 'goood', the labels are bad, good: 2 rows, at IN:2, IN:4"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            '{"text": "a", "lable": "good"}\n', r"no column for label: .*\n.*label: lable",
            id="the label's column is misspelt",
        ),
        pytest.param('{"txt": "a", "label": "good"}\n', "no column for text", id="no text"),
        pytest.param("", "in.jsonl: no rows", id="an empty file"),
    ],
)  # fmt: skip
def test_an_input_that_lacks_what_is_needed_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "in.jsonl").write_text(text)
    with pytest.raises(DataError, match=message):
        evaluate(published(tmp_path, "single_label"), str(tmp_path / "in.jsonl"))


def test_columns_of_another_name_can_be_mapped(tmp_path: Path) -> None:
    source = tmp_path / "in.tsv"
    source.write_text("body\tverdict\ngood\tgood\nbad\tbad\n")
    mapped = Reading(columns={"text": "body", "label": "verdict"})
    found = evaluate(published(tmp_path, "single_label"), str(source), read=mapped)
    assert set(found) == {"accuracy", "micro_f1", "macro_f1", "auc"}


def test_a_damaged_artefact_is_refused(tmp_path: Path) -> None:
    artefact = published(tmp_path, "single_label")
    (artefact / "labels.json").unlink()
    with pytest.raises(StoreError, match=r"labels\.json: missing"):
        evaluate(artefact, "nowhere.tsv")
