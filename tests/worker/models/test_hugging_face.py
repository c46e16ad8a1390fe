"""Weights and configs go to the usual library and come back; what does not fit is told."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from graft_api.errors import ConfigError
from graft_worker.models.bert import BertEncoder
from graft_worker.models.build import load_encoder
from tests.worker.models.texts_of_ids import library_bert

WORDS = "embeddings.word_embeddings.weight"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    library_bert(tmp_path)
    return tmp_path


def load(folder: Path, *, random: bool = False, vocabulary: int | None = None) -> BertEncoder:
    encoder = load_encoder(folder, random=random, seed=3, vocabulary=vocabulary)
    assert isinstance(encoder, BertEncoder)
    return encoder


def rewrite(folder: Path, change: Any) -> None:
    file = folder / "model.safetensors"
    save_file(change(load_file(file)), file)


def reconfigure(folder: Path, **changed: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def assert_equal(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_weights_come_back_exactly(folder: Path) -> None:
    wanted = {f"bert.{name}": t for name, t in load_file(folder / "model.safetensors").items()}
    assert_equal(load(folder).hugging_face_state(), wanted)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda s: {f"bert.{k}": v for k, v in s.items()}, id="with the prefix bert."),
        pytest.param(
            lambda s: {
                k.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): v
                for k, v in s.items()
            },
            id="with norms of the old names gamma and beta",
        ),
        pytest.param(
            lambda s: (
                {f"bert.{k}": v for k, v in s.items()}
                | {"cls.predictions.decoder.weight": s[WORDS].clone(), "cls.bias": torch.ones(3)}
                | {"bert.embeddings.position_ids": torch.arange(48)}
            ),
            id="with heads and position ids beside",
        ),
        pytest.param(lambda s: {k: v.double() for k, v in s.items()}, id="in double precision"),
    ],
)
def test_variants_of_the_names_load_alike(folder: Path, change: Any) -> None:
    wanted = load(folder).state_dict()
    rewrite(folder, change)
    assert_equal(load(folder).state_dict(), wanted)


def test_shards_of_an_index_load_like_one_file(folder: Path) -> None:
    wanted = load(folder).state_dict()
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    placed = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(state)}
    for file in sorted(set(placed.values())):
        save_file({n: t for n, t in state.items() if placed[n] == file}, folder / file)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": placed}))
    assert_equal(load(folder).state_dict(), wanted)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert str(caught.value) == (
        f"{index}: names model-00002-of-00002.safetensors, which is not in the folder\n"
        "  copy or download every shard that the index names"
    )


def test_a_missing_pooler_is_drawn_from_the_seed_and_reported(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rewrite(folder, lambda s: {k: v for k, v in s.items() if "pooler" not in k})
    with caplog.at_level(logging.WARNING):
        first, second = load(folder), load(folder)
    assert caplog.messages[0] == (
        f"{folder} has no pooler: it starts from random weights of seed 3"
    )
    assert torch.equal(first.pooler.weight, second.pooler.weight)
    assert 0.1 < first.pooler.weight.std() < 0.2  # initializer_range 0.2, cut at two deviations
    assert not first.pooler.bias.any()


def _without(part: str) -> Any:
    return lambda s: {k: v for k, v in s.items() if part not in k}


@pytest.mark.parametrize(
    ("change", "config", "message"),
    [
        pytest.param(
            _without("nothing"),
            {"num_hidden_layers": 3},
            "{}: weights lack encoder.layer.2.attention.self.query.weight and 15 more; they hold 2 "
            "layers: num_hidden_layers in config.json must fit the weights",
            id="fewer layers than the config says",
        ),
        pytest.param(
            _without("layer.1.output.dense.bias"),
            {},
            "{}: weights lack encoder.layer.1.output.dense.bias; they hold 2 layers: "
            "num_hidden_layers in config.json must fit the weights",
            id="one tensor missing",
        ),
        pytest.param(
            _without("nothing"),
            {"vocab_size": 100},
            "{}: embeddings.word_embeddings.weight has shape [97, 32], expected [100, 32]: "
            "vocab_size in config.json must fit the weights",
            id="another vocabulary size",
        ),
        pytest.param(
            _without("nothing"),
            {"hidden_size": 64},
            "{}: embeddings.word_embeddings.weight has shape [97, 32], expected [97, 64]: "
            "the sizes in config.json must fit the weights",
            id="another width",
        ),
        pytest.param(
            _without("word_embeddings"),
            {},
            "{}: no embeddings.word_embeddings.weight among its weights: these are no weights of"
            " bert\n"
            "  model_type in config.json must fit the weights",
            id="weights of something else",
        ),
    ],
)
def test_weights_that_do_not_fit_are_told(
    folder: Path, change: Any, config: dict[str, Any], message: str
) -> None:
    rewrite(folder, change)
    reconfigure(folder, **config)
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert str(caught.value) == message.format(folder)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"hidden_act": "tanh"}, "hidden_act 'tanh': expected one of gelu, gelu_new, "),
        ({"hidden_size": "wide"}, "hidden_size 'wide': expected a whole number in its range"),
        ({"num_attention_heads": 0}, "num_attention_heads 0: expected a whole number in its range"),
        ({"num_attention_heads": 5}, "hidden_size 32 must be a multiple of num_attention_heads 5"),
        ({"hidden_dropout_prob": 1}, "hidden_dropout_prob 1: expected a number in its range"),
        (
            {"position_embedding_type": "relative_key"},
            "position_embedding_type 'relative_key': expected 'absolute'",
        ),
    ],
)
def test_values_of_the_config_that_cannot_be_used_are_told(
    folder: Path, config: dict[str, Any], message: str
) -> None:
    reconfigure(folder, **config)
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert str(caught.value).startswith(f"config.json: {message}")


def test_pickled_weights_are_refused_with_what_to_do(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ConfigError) as caught:
        load(folder)
    assert str(caught.value) == (
        f"{folder}: weights are in pytorch_model.bin, and only safetensors are read\n"
        '  convert with `python -c "from transformers import AutoModel as M; '
        f"M.from_pretrained('{folder}').save_pretrained('{folder}')\"` "
        "on a machine where you trust the file"
    )


def test_damaged_weights_are_told(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ConfigError, match=r"model\.safetensors: damaged: "):
        load(folder)


def test_a_folder_without_config_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no config.json in it\n"
        "  a model folder holds config.json, model.safetensors and tokenizer.json"
    )


def test_random_weights_take_the_size_of_the_tokenizer(folder: Path) -> None:
    encoder = load(folder, random=True, vocabulary=300)
    assert encoder.config.vocabulary == 300
    assert encoder.embeddings.tokens.weight.shape == (300, 32)


def test_random_weights_depend_on_the_seed_alone(folder: Path) -> None:
    torch.manual_seed(1)
    one = load(folder, random=True).state_dict()
    torch.manual_seed(2)
    assert_equal(load(folder, random=True).state_dict(), one)
    other = load_encoder(folder, random=True, seed=4, vocabulary=None)
    assert isinstance(other, BertEncoder)
    assert not torch.equal(other.pooler.weight, one["pooler.weight"])
    weights = one["embeddings.tokens.weight"]
    assert weights.abs().max() <= 0.4  # two deviations of initializer_range
    assert abs(weights.std().item() / 0.2 - 0.88) < 0.03  # of a normal cut at two deviations


def test_a_tokenizer_larger_than_the_embeddings_is_refused(folder: Path) -> None:
    assert load(folder, vocabulary=90).config.vocabulary == 97
    with pytest.raises(ConfigError) as caught:
        load(folder, vocabulary=98)
    assert str(caught.value) == (
        f"spec.model.tokenizer: 98 token ids, but the weights in {folder} have embeddings for 97\n"
        "  use the tokenizer that belongs to the weights, or spec.model.from.config for random "
        "weights of the tokenizer's size"
    )
