"""Our BERT gives the hidden states of the usual library, layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from graft_worker.data.batch import Batch
from graft_worker.models import zoo
from graft_worker.models.build import load_encoder
from tests.worker.models.texts_of_ids import library_bert, packed, padded, texts

LENGTHS = (19, 3, 11, 1)


def ours(folder: Path, batch: Batch) -> tuple[list[Tensor], Tensor]:
    encoder = load_encoder(folder, random=False, seed=0, vocabulary=None)
    assert isinstance(encoder, nn.Module)
    encoder.eval()
    states: list[Tensor] = []
    parts = [encoder.embeddings, *encoder.blocks()]
    hooks = [p.register_forward_hook(lambda _, __, out: states.append(out)) for p in parts]
    with torch.no_grad():
        encoder(batch)
        for hook in hooks:
            hook.remove()
        return states, encoder.summary(batch)


def theirs(model: Any, batch: Batch) -> tuple[tuple[Tensor, ...], Tensor]:
    with torch.no_grad():
        out = model(
            input_ids=batch.ids,
            attention_mask=(batch.segments > 0).long(),
            token_type_ids=batch.types,
            output_hidden_states=True,
        )
    return out.hidden_states, out.pooler_output


def assert_same(found: tuple[list[Tensor], Tensor], wanted: Any, real: Tensor) -> None:
    states, pooled = found
    assert len(states) == len(wanted[0])
    for mine, other in zip(states, wanted[0], strict=True):
        torch.testing.assert_close(mine[real], other[real], atol=1e-4, rtol=0)
    torch.testing.assert_close(pooled, wanted[1], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="gelu, two layers, four heads"),
        pytest.param({"hidden_act": "relu"}, id="relu"),
        pytest.param({"hidden_act": "gelu_new"}, id="the tanh form of gelu"),
        pytest.param({"hidden_act": "silu"}, id="silu"),
        pytest.param({"num_hidden_layers": 5, "num_attention_heads": 1}, id="deep, with one head"),
        pytest.param({"hidden_size": 48, "intermediate_size": 20}, id="a narrow middle"),
        pytest.param({"layer_norm_eps": 1e-3}, id="a large epsilon"),
    ],
)
def test_every_hidden_state_of_a_padded_batch_agrees(tmp_path: Path, changed: Any) -> None:
    model = library_bert(tmp_path, **changed)
    batch = padded(texts(LENGTHS, vocabulary=97))
    assert_same(ours(tmp_path, batch), theirs(model, batch), batch.segments > 0)


def test_rows_without_padding_agree_without_a_mask(tmp_path: Path) -> None:
    model = library_bert(tmp_path)
    batch = padded(texts((12, 12, 12), vocabulary=97))
    assert_same(ours(tmp_path, batch), theirs(model, batch), batch.segments > 0)


def test_one_type_embedding_is_used_for_both_texts(tmp_path: Path) -> None:
    model = library_bert(tmp_path, type_vocab_size=1)
    batch = padded(texts(LENGTHS, vocabulary=97))
    states, _ = ours(tmp_path, batch)
    with torch.no_grad():
        real = batch.segments > 0
        wanted = model(input_ids=batch.ids, attention_mask=real.long()).last_hidden_state
    torch.testing.assert_close(states[-1][real], wanted[real], atol=1e-4, rtol=0)


def test_the_real_minilm_agrees_on_a_padded_batch() -> None:
    from transformers import BertModel

    folder = zoo.resolve("minilm-l6-en", zoo=None)
    batch = padded(texts((64, 5, 33, 17), vocabulary=30522))
    model = BertModel.from_pretrained(folder).eval()
    assert_same(ours(folder, batch), theirs(model, batch), batch.segments > 0)


def test_padding_slots_and_empty_rows_hold_numbers() -> None:
    folder = zoo.resolve("minilm-l6-en", zoo=None)
    batch = packed(texts((7, 4), vocabulary=30522), [[0, 1], []], 16)
    states, pooled = ours(folder, batch)
    assert all(bool(torch.isfinite(state).all()) for state in (*states, pooled))
