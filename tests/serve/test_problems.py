"""Several labels, and numbers: what each protocol tells of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graft_worker.data.prepared import Problem
from graft_worker.serve import friendly, loading, open_inference
from graft_worker.serve.loading import Served
from graft_worker.serve.results import Result, results
from graft_worker.serve.settings import Settings
from tests.serve import models

TEXTS = tuple((text,) for text in models.TEXTS)
EVERYTHING = {"outputs": [{"name": "score"}, {"name": "embedding"}]}


def answered(store: Path, problem: Problem) -> tuple[Served, list[Result]]:
    """A model of the problem, and what it says of the texts."""
    served = loading.load(Settings(artefact=models.classify(store, problem=problem)))
    examples = served.reader.read(TEXTS)
    found = served.engine.compute(examples)
    told = [each for each in results(served, examples, found) if each is not None]
    assert len(told) == len(examples)
    return served, told


def asked(**more: object) -> dict[str, object]:
    data = list(models.TEXTS)
    tensor = {"name": "text", "shape": [len(data)], "datatype": "BYTES", "data": data}
    return {"inputs": [tensor], **more}


def test_of_several_labels_those_over_one_half_are_told(tmp_path: Path) -> None:
    served, found = answered(tmp_path, "multi_label")
    predictions = friendly.write(found, served)["predictions"]
    for each in predictions:
        over = [name for name, value in each["probabilities"].items() if value > 0.5]
        assert list(each["probabilities"]) == ["dull", "slow", "bright"]
        assert each["labels"] == over
    wish = open_inference.read(asked(), served, most=256)
    label, score = open_inference.write(found, served, wish)["outputs"]
    assert label["data"] == [",".join(each["labels"]) for each in predictions]
    assert score["shape"] == [4, 3]
    assert score["data"] == [v for each in predictions for v in each["probabilities"].values()]


def test_a_regression_tells_a_number_and_no_label(tmp_path: Path) -> None:
    served, found = answered(tmp_path, "regression")
    predictions = friendly.write(found, served)["predictions"]
    assert [set(each) for each in predictions] == [{"value", "truncated"}] * 4
    values = [each["value"] for each in predictions]
    assert len({round(value, 3) for value in values}) > 1
    told = open_inference.model(served)["outputs"]
    assert [(output["name"], output["shape"]) for output in told] == [
        ("score", [-1, 1]),
        ("embedding", [-1, 16]),
    ]
    wish = open_inference.read(asked(**EVERYTHING), served, most=256)
    score, vector = open_inference.write(found, served, wish)["outputs"]
    assert (score["shape"], score["data"]) == ([4, 1], pytest.approx(values))
    assert vector["shape"] == [4, 16]
    assert np.array(vector["data"]).reshape(4, 16)[1] == pytest.approx(found[1].vector)


def test_the_likeliest_label_is_told_and_a_long_text_marked(tmp_path: Path) -> None:
    served, found = answered(tmp_path, "single_label")
    assert [each.cut for each in found] == [False, False, True, False]
    assert [each.prediction for each in found] == [
        max(zip(each.scores, served.artefact.labels, strict=True))[1] for each in found
    ]
