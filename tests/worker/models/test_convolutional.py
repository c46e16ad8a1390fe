"""TextCNN and BiCNN: what they see, where their weights come from, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from graft_api.errors import ConfigError
from graft_worker.models.build import load_encoder
from graft_worker.models.convolutional import ConvolutionalEncoder
from graft_worker.models.heads import SequenceClassifier
from graft_worker.models.hugging_face import config_json
from tests.worker.models.texts_of_ids import packed, padded, texts

LENGTHS = (19, 3, 11, 8, 2)
CONFIG = {"vocab_size": 97, "embedding_size": 12, "num_filters": 5, "filter_sizes": [2, 3]}
BICNN = CONFIG | {"model_type": "bicnn", "hidden_size": 7, "hidden_dropout_prob": 0.2}
CONFIGS = {"textcnn": CONFIG | {"model_type": "textcnn"}, "bicnn": BICNN}


def encoder_of(folder: Path, kind: str, *, seed: int = 1, **changed: Any) -> ConvolutionalEncoder:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIGS[kind] | changed))
    encoder = load_encoder(folder, random=True, seed=seed, vocabulary=97)
    assert isinstance(encoder, ConvolutionalEncoder)
    return encoder


@pytest.mark.parametrize("kind", list(CONFIGS))
def test_a_text_gives_the_same_whatever_stands_beside_it(tmp_path: Path, kind: str) -> None:
    encoder = encoder_of(tmp_path, kind).train()
    ids = texts(LENGTHS, vocabulary=97)
    together = encoder.summary(padded(ids, width=32))
    assert together.shape == (5, encoder.config.hidden)
    for sample in range(5):
        alone = encoder.summary(packed(ids, [[sample]], LENGTHS[sample]))
        torch.testing.assert_close(alone[0], together[sample], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", list(CONFIGS))
def test_initial_weights_depend_on_the_seed_alone(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    states = [encoder_of(tmp_path, kind, seed=seed).state_dict() for seed in (1, 1, 2)]
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["words.weight"], states[2]["words.weight"])


def test_the_sides_of_a_pair_are_told_apart(tmp_path: Path) -> None:
    encoder = encoder_of(tmp_path, "bicnn").eval()
    ids = texts((8, 8), vocabulary=97)
    ids[1] = torch.cat([ids[0][4:], ids[0][:4]])
    straight, turned = encoder.summary(padded(ids))
    assert not torch.allclose(straight, turned)


@pytest.mark.parametrize("kind", list(CONFIGS))
def test_a_published_encoder_is_read_again(tmp_path: Path, kind: str) -> None:
    module = SequenceClassifier(encoder_of(tmp_path, kind), outputs=2, dropout=0.5, seed=1).eval()
    again = tmp_path / "again"
    again.mkdir()
    save_file(module.hugging_face_state(), again / "model.safetensors", {"format": "pt"})
    told = config_json(module.encoder, "single_label", ["a", "b"])
    (again / "config.json").write_text(json.dumps(told))
    encoder = load_encoder(again, random=False, seed=9, vocabulary=97)
    assert isinstance(encoder, ConvolutionalEncoder)
    batch = padded(texts(LENGTHS, vocabulary=97))
    assert torch.equal(encoder.eval().summary(batch), module.encoder.summary(batch))


def test_weights_that_do_not_fit_their_config_are_refused(tmp_path: Path) -> None:
    module = SequenceClassifier(encoder_of(tmp_path, "textcnn"), outputs=2, dropout=0.0, seed=1)
    save_file(module.hugging_face_state(), tmp_path / "model.safetensors", {"format": "pt"})
    larger = CONFIGS["textcnn"] | {"num_filters": 6}
    (tmp_path / "config.json").write_text(json.dumps(larger))
    with pytest.raises(ConfigError) as raised:
        load_encoder(tmp_path, random=False, seed=1, vocabulary=97)
    assert str(raised.value) == (
        f"{tmp_path}: textcnn.windows.filters.0.weight is of shape [5, 12, 2], "
        "expected [6, 12, 2]\n  the sizes in config.json must fit the weights"
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"num_filters": 0}, "config.json: num_filters 0: expected a whole number from 1"),
        ({"filter_sizes": 3}, "config.json: filter_sizes 3: expected a list of whole numbers"),
        ({"filter_sizes": [2, "3"]}, "filter_sizes '3': expected a whole number from 1"),
        ({"vocab_size": None}, "config.json: vocab_size None: expected a whole number from 1"),
    ],
    ids=["no filters", "no list of widths", "a width that is no number", "no vocabulary"],
)
def test_sizes_that_cannot_be_are_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        encoder_of(tmp_path, "textcnn", **changed)


@pytest.mark.parametrize("kind", list(CONFIGS))
def test_depths_run_from_words_to_the_head(tmp_path: Path, kind: str) -> None:
    module = SequenceClassifier(encoder_of(tmp_path, kind), outputs=2, dropout=0.1, seed=1)
    depths = {module.depth_of(name) for name, _ in module.named_parameters()}
    assert module.depth_of("encoder.words.weight") == 0
    assert module.depth_of("encoder.windows.filters.0.bias") == 1
    assert depths == {0, 1, 2}
