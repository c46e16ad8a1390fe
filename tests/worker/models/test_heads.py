"""A classifier over our BERT: published for the usual library, restored, its depths."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from graft_api.errors import ConfigError
from graft_worker.data.prepared import Problem
from graft_worker.models.bert import BertEncoder
from graft_worker.models.build import load_encoder
from graft_worker.models.heads import SequenceClassifier
from graft_worker.models.hugging_face import config_json
from tests.worker.models.texts_of_ids import library_bert, padded, texts


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    library_bert(tmp_path)
    return tmp_path


def load(folder: Path) -> BertEncoder:
    encoder = load_encoder(folder, random=False, seed=3, vocabulary=None)
    assert isinstance(encoder, BertEncoder)
    return encoder


def publish(folder: Path, module: SequenceClassifier, problem: Problem, labels: list[str]) -> None:
    folder.mkdir()
    save_file(module.hugging_face_state(), folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config_json(module.encoder, problem, labels)))


@pytest.mark.parametrize(
    ("problem", "labels", "kind"),
    [
        ("single_label", ["bad", "fair", "good"], "single_label_classification"),
        ("multi_label", ["dull", "slow"], "multi_label_classification"),
        ("regression", [], "regression"),
    ],
)
def test_the_library_reads_the_artefact_with_equal_logits(
    folder: Path, tmp_path: Path, problem: Problem, labels: list[str], kind: str
) -> None:
    from transformers import AutoModelForSequenceClassification

    outputs = max(1, len(labels))
    module = SequenceClassifier(load(folder), outputs=outputs, dropout=0.1, seed=1).eval()
    publish(tmp_path / "published", module, problem, labels)
    model, report = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "published", output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert model.config.problem_type == kind
    assert model.config.id2label == dict(enumerate(labels or ["score"]))
    batch = padded(texts((9, 17, 2), vocabulary=97))
    with torch.no_grad():
        real = (batch.segments > 0).long()
        wanted = model.eval()(
            input_ids=batch.ids, attention_mask=real, token_type_ids=batch.types
        ).logits
        torch.testing.assert_close(module(batch), wanted, atol=1e-5, rtol=0)


def test_a_published_head_is_restored(folder: Path, tmp_path: Path) -> None:
    module = SequenceClassifier(load(folder), outputs=2, dropout=0.1, seed=1)
    publish(tmp_path / "published", module, "single_label", ["a", "b"])
    again = SequenceClassifier(load(tmp_path / "published"), outputs=2, dropout=0.1, seed=2)
    again.restore_head(tmp_path / "published")
    pairs = zip(again.state_dict().values(), module.state_dict().values(), strict=True)
    assert all(torch.equal(found, wanted) for found, wanted in pairs)
    larger = SequenceClassifier(load(folder), outputs=3, dropout=0.1, seed=2)
    with pytest.raises(ConfigError, match=r"classifier.weight is of shape \[2, 32\], expected"):
        larger.restore_head(tmp_path / "published")


def test_depths_run_from_embeddings_to_the_head(folder: Path) -> None:
    module = SequenceClassifier(load(folder), outputs=2, dropout=0.1, seed=1)
    depths = {name: module.depth_of(name) for name, _ in module.named_parameters()}
    assert depths["encoder.embeddings.norm.weight"] == 0
    assert depths["encoder.layers.0.qkv.bias"] == 1
    assert depths["encoder.layers.1.norm.bias"] == 2
    assert depths["encoder.pooler.weight"] == 3
    assert depths["classifier.bias"] == 3
