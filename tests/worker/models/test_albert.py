"""ALBERT on our encoder: the library's numbers, its names, and what sharing weights means."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from graft_api.errors import ConfigError
from graft_worker.data.batch import Batch
from graft_worker.models import build, graphs
from graft_worker.models.bert import BertEncoder
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.heads import SequenceClassifier
from graft_worker.models.hugging_face import config_json, encoder_config
from tests.worker.models.texts_of_ids import library_albert, packed, padded, texts

LENGTHS = (19, 3, 11, 1)
BATCH = padded(texts(LENGTHS, vocabulary=97))
SHARES = [
    pytest.param({}, id="one layer"),
    pytest.param({"inner_group_num": 2, "num_hidden_layers": 3}, id="a group of two"),
    pytest.param({"num_hidden_groups": 3, "num_hidden_layers": 7}, id="three uneven groups"),
]


def encoder_in(folder: Path, **changed: Any) -> BertEncoder:
    library_albert(folder, **changed)
    encoder = build.load_encoder(folder, random=False, seed=0, vocabulary=None)
    assert isinstance(encoder, BertEncoder)
    return encoder


def config(**changed: Any) -> EncoderConfig:
    """Four steps of one layer, and weights so large that everything matters."""
    plain = EncoderConfig(
        architecture="albert",
        vocabulary=97,
        hidden=32,
        layers=4,
        heads=4,
        intermediate=64,
        max_positions=48,
        dropout=0.0,
        embedding=12,
        groups=1,
        raw={"initializer_range": 0.2},
    )
    return replace(plain, **changed)


def states(encoder: BertEncoder, batch: Batch) -> list[Tensor]:
    """The projected embeddings and what every use of a layer gives."""
    found: list[Tensor] = []
    parts = [encoder.projection, *encoder.layers]
    hooks = [p.register_forward_hook(lambda _, __, out: found.append(out)) for p in parts if p]
    with torch.no_grad():
        encoder.eval()(batch)
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize(
    "changed",
    [
        *SHARES,
        pytest.param({"hidden_act": "relu"}, id="relu"),
        pytest.param({"embedding_size": 32}, id="embeddings as wide as the rest"),
    ],
)
def test_every_hidden_state_of_a_padded_batch_agrees(tmp_path: Path, changed: Any) -> None:
    model = library_albert(tmp_path, **changed)
    encoder = build.load_encoder(tmp_path, random=False, seed=0, vocabulary=None)
    assert isinstance(encoder, BertEncoder)
    real = BATCH.segments > 0
    with torch.no_grad():
        said = model(
            input_ids=BATCH.ids,
            attention_mask=real.long(),
            token_type_ids=BATCH.types,
            output_hidden_states=True,
        )
        pooled = encoder.eval().summary(BATCH)
    mine = states(encoder, BATCH)
    assert len(mine) == len(said.hidden_states)
    for found, wanted in zip(mine, said.hidden_states, strict=True):
        torch.testing.assert_close(found[real], wanted[real], atol=1e-4, rtol=0)
    torch.testing.assert_close(pooled, said.pooler_output, atol=1e-4, rtol=0)


def test_without_a_word_it_has_the_librarys_defaults() -> None:
    from transformers import AlbertConfig

    ours, theirs = encoder_config({"model_type": "albert"}), AlbertConfig()
    assert (ours.vocabulary, ours.embedding, ours.hidden, ours.intermediate) == (
        *(theirs.vocab_size, theirs.embedding_size, theirs.hidden_size, theirs.intermediate_size),
    )
    assert (ours.layers, ours.groups, ours.inner, ours.heads) == (
        *(theirs.num_hidden_layers, theirs.num_hidden_groups, theirs.inner_group_num),
        theirs.num_attention_heads,
    )
    assert (ours.dropout, ours.activation) == (theirs.hidden_dropout_prob, theirs.hidden_act)


def test_more_groups_than_layers_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        encoder_config({"model_type": "albert", "num_hidden_groups": 13})
    assert str(caught.value) == (
        "config.json: num_hidden_groups 13: expected at most num_hidden_layers 12"
    )


def test_a_folder_with_fewer_layers_than_it_says_is_told(tmp_path: Path) -> None:
    library_albert(tmp_path)
    told = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(told | {"inner_group_num": 2}))
    with pytest.raises(ConfigError) as caught:
        build.load_encoder(tmp_path, random=False, seed=0, vocabulary=None)
    lacks = "encoder.albert_layer_groups.0.albert_layers.1.attention.query.weight and 15 more"
    assert str(caught.value) == (
        f"{tmp_path}: weights lack {lacks}:"
        " num_hidden_groups and inner_group_num in config.json must fit the weights"
    )


@pytest.mark.parametrize("changed", SHARES)
def test_the_library_reads_a_classifier_and_so_do_we(tmp_path: Path, changed: Any) -> None:
    from transformers import AutoModelForSequenceClassification

    encoder = encoder_in(tmp_path / "base", **changed)
    module = SequenceClassifier(encoder, outputs=2, dropout=0.1, seed=1).eval()
    folder = tmp_path / "made"
    folder.mkdir()
    save_file(module.hugging_face_state(), folder / "model.safetensors", {"format": "pt"})
    told = config_json(encoder, "single_label", ["a", "b"])
    (folder / "config.json").write_text(json.dumps(told))
    model, report = AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True
    )
    assert type(model).__name__ == "AlbertForSequenceClassification"
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    again = build.load_encoder(folder, random=False, seed=9, vocabulary=None)
    other = SequenceClassifier(again, outputs=2, dropout=0.0, seed=9).eval()
    other.restore_head(folder)
    with torch.no_grad():
        found = module(BATCH)
        mask = (BATCH.segments > 0).long()
        said = model.eval()(input_ids=BATCH.ids, attention_mask=mask, token_type_ids=BATCH.types)
        assert torch.equal(other(BATCH), found)
    torch.testing.assert_close(found, said.logits, atol=1e-5, rtol=0)


def test_the_number_of_weights_does_not_depend_on_the_number_of_layers() -> None:
    def count(**changed: Any) -> int:
        return sum(p.numel() for p in BertEncoder(config(**changed)).parameters())

    assert count(layers=1) == count(layers=4) == count(layers=12)
    layer = sum(p.numel() for p in BertEncoder(config()).layers.parameters())
    assert count(inner=2) - count() == count(groups=2) - count() == layer


def unrolled(encoder: BertEncoder, order: tuple[int, ...]) -> BertEncoder:
    """The same function with a layer of its own for every use."""
    plain = BertEncoder(replace(encoder.config, layers=len(order), groups=None, inner=1))
    own = {n: t for n, t in encoder.state_dict().items() if not n.startswith("layers.")}
    for place, index in enumerate(order):
        layer = encoder.layers[index].state_dict()
        own |= {f"layers.{place}.{name}": tensor for name, tensor in layer.items()}
    plain.load_state_dict(own)
    return plain


@pytest.mark.parametrize(
    ("changed", "order"),
    [
        pytest.param({}, (0, 0, 0, 0), id="one layer"),
        pytest.param({"inner": 2, "layers": 3}, (0, 1, 0, 1, 0, 1), id="a group of two"),
        pytest.param({"groups": 2, "layers": 3}, (0, 0, 1), id="two groups"),
    ],
)
def test_it_is_the_unrolled_network_and_every_use_adds_to_the_gradient(
    changed: Any, order: tuple[int, ...]
) -> None:
    encoder = BertEncoder.random(config(**changed), seed=3)
    plain = unrolled(encoder, order)
    for module in (encoder, plain):
        module(BATCH)[BATCH.segments > 0].square().sum().backward()
    torch.testing.assert_close(encoder(BATCH), plain(BATCH), atol=1e-6, rtol=0)
    for index, layer in enumerate(encoder.layers):
        uses = [place for place, used in enumerate(order) if used == index]
        for name, parameter in layer.named_parameters():
            each = [plain.layers[place].get_parameter(name).grad for place in uses]
            assert all(grad is not None and bool(grad.any()) for grad in each)
            whole = torch.stack([grad for grad in each if grad is not None]).sum(0)
            close = 1e-5 * float(whole.abs().max())
            torch.testing.assert_close(parameter.grad, whole, atol=close, rtol=0, msg=name)


def test_every_use_of_a_layer_drops_other_features() -> None:
    encoder = BertEncoder.random(config(dropout=0.5), seed=3).train()
    kept: list[Tensor] = []
    site = encoder.layers[0].dropout
    hook = site.register_forward_hook(
        lambda _, given, out: kept.append((out - given[2]).ne(0))  # 0 is what was dropped
    )
    encoder(BATCH)
    hook.remove()
    real = BATCH.segments > 0
    masks = [mask[real] for mask in kept]
    assert len(masks) == 4
    for number, mask in enumerate(masks):
        assert 0.4 < float(mask.float().mean()) < 0.6
        for other in masks[:number]:
            assert 0.4 < float((mask == other).float().mean()) < 0.6


@pytest.mark.parametrize("changed", SHARES)
def test_packed_rows_and_first_tokens_alone_give_the_same_with_dropout(
    tmp_path: Path, changed: Any
) -> None:
    encoder = encoder_in(tmp_path, hidden_dropout_prob=0.2, **changed).train()
    ids = texts(LENGTHS, vocabulary=97)
    rows = packed(ids, [[0, 3], [1, 2]], 24)
    whole = encoder(BATCH).flatten(0, 1)[BATCH.first]
    for found in (
        encoder(rows).flatten(0, 1)[rows.first],
        encoder.first(rows),
        encoder.first(BATCH),
    ):
        torch.testing.assert_close(found, whole, atol=1e-5, rtol=0)


def test_a_graph_of_it_answers_as_it_does(tmp_path: Path) -> None:
    encoder = encoder_in(tmp_path, inner_group_num=2)
    module = SequenceClassifier(encoder, outputs=2, dropout=0.0, seed=1).eval()
    graph = graphs.Graph(graphs.traced(module, BATCH), threads=1)
    with torch.no_grad():
        torch.testing.assert_close(graph(BATCH), module(BATCH), atol=1e-5, rtol=0)


def test_weights_are_as_deep_as_the_last_layer_that_uses_them() -> None:
    names = ("embeddings.tokens.weight", "projection.weight", "layers.0.qkv.bias", "pooler.bias")
    encoder = BertEncoder(config(layers=12))
    assert [encoder.depth_of(name) for name in names] == [0, 0, 12, 13]
    groups = BertEncoder(config(layers=12, groups=3, inner=2))
    assert [groups.depth_of(f"layers.{n}.up.bias") for n in range(6)] == [4, 4, 8, 8, 12, 12]


def test_layers_that_are_shared_are_compiled_one_by_one_and_sharded_with_the_rest() -> None:
    encoder = BertEncoder(config(inner=2))
    assert (len(encoder.blocks()), len(encoder.units())) == (2, 0)
    for alone in (config(groups=None), config(groups=4)):
        plain = BertEncoder(alone)
        assert (len(plain.blocks()), len(plain.units())) == (4, 4)
