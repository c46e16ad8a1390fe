"""The usual library loads an artefact and gives the same logits for the same text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from graft_worker.data.prepared import Problem
from graft_worker.run import inference
from tests.worker import small

TEXTS = ["Good film", "", "the plot was not very good and very slow and dull", "很好的电影", "end."]
SECOND = [
    "bad end",
    "good",
    "dull",
    "",
    "the film was not bad and not good and very slow and the end",
]


def theirs(folder: Path, *texts: list[str]) -> tuple[Any, Tensor]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    inputs = tokenizer(*texts, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        return model, model(**inputs).logits


@pytest.mark.parametrize("problem", ["single_label", "multi_label", "regression"])
def test_the_library_gives_the_same_logits_for_texts(tmp_path: Path, problem: Problem) -> None:
    folder = small.published(tmp_path, small.app(problem=problem)).uri
    ours = inference.logits(inference.open_model(folder), small.rows([{"text": t} for t in TEXTS]))
    model, logits = theirs(folder, TEXTS)
    torch.testing.assert_close(logits, ours, atol=1e-4, rtol=1e-4)
    names = small.LABELS[problem] or ("score",)
    assert model.config.id2label == dict(enumerate(names))
    assert model.config.problem_type.startswith(problem)
    assert float(ours.std()) > 0.1


def test_the_library_gives_the_same_logits_for_pairs(tmp_path: Path) -> None:
    folder = small.published(tmp_path, small.app("text_match")).uri
    pairs = [{"text_a": a, "text_b": b} for a, b in zip(TEXTS, SECOND, strict=True)]
    ours = inference.logits(inference.open_model(folder), small.rows(pairs))
    torch.testing.assert_close(theirs(folder, TEXTS, SECOND)[1], ours, atol=1e-4, rtol=1e-4)


def test_publishing_and_answering_load_no_transformers(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from graft_worker.run import inference
from tests.worker import small
folder = small.published(Path({str(tmp_path)!r})).uri
inference.logits(inference.open_model(folder), small.rows([{{"text": "good"}}]))
print("transformers" in sys.modules)
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
