"""The usual library loads an artefact and gives the same logits for the same text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from graft_worker.data.prepared import Problem
from graft_worker.export.artefact import publish
from graft_worker.models import build, tokenization, zoo
from graft_worker.models.encoder import TextEncoder
from graft_worker.models.heads import SequenceClassifier
from graft_worker.models.hugging_face import config_json
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
    assert float(ours.std()) > 0.05


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


def published(store: Path, encoder: TextEncoder, tokenizer: str) -> Path:
    """An artefact of a classifier with random head over the encoder, of 128 tokens."""
    app = small.app()
    module = app.model(encoder, 0.0, seed=5).eval()
    assert isinstance(module, SequenceClassifier)
    config = config_json(encoder, app.problem, app.labels)
    changed = {"config": config, "tokenizer": tokenizer, "max_length": 128}
    return publish(store, small.contents(app, module, **changed)).uri


def test_a_real_model_gives_the_library_the_same_logits_for_real_texts(
    tmp_path: Path, data_root: Path
) -> None:
    folder = zoo.resolve("minilm-l6-en", zoo=None)
    lines = (data_root / "sst2" / "dev.jsonl").read_text(encoding="utf-8").splitlines()[:40]
    texts = [json.loads(line)["text"] for line in lines] + ["very long " * 200]
    encoder = build.load_encoder(folder, random=False, seed=0, vocabulary=None)
    artefact = published(tmp_path, encoder, tokenization.load(folder).to_str())
    rows = small.rows([{"text": text} for text in texts])
    ours = inference.logits(inference.open_model(artefact), rows)
    torch.testing.assert_close(theirs(artefact, texts)[1], ours, atol=1e-4, rtol=1e-4)


def test_a_model_of_another_family_answers_from_its_artefact_as_it_did_before(
    tmp_path: Path,
) -> None:
    config = {"model_type": "distilbert", "dim": 16, "n_layers": 2, "n_heads": 4}
    sizes = {"hidden_dim": 32, "max_position_embeddings": 128, "pad_token_id": 0}
    (tmp_path / "origin").mkdir()
    (tmp_path / "origin" / "config.json").write_text(json.dumps(config | sizes))
    tokenizer = small.tokenizer()
    encoder = build.load_encoder(
        tmp_path / "origin", random=True, seed=1, vocabulary=tokenizer.get_vocab_size()
    )
    app = small.app()
    module = app.model(encoder, 0.0, seed=5).eval()
    rows = small.rows([{"text": text} for text in TEXTS])
    block = app.features(tokenizer, 128)(rows)
    before = inference.logits_of(module, block, device=torch.device("cpu"))
    artefact = published(tmp_path, encoder, tokenizer.to_str())
    after = inference.logits(inference.open_model(artefact), rows)
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)
