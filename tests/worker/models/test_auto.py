"""Any other encoder of the library works behind the same interface, on padded rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from graft_api.errors import ConfigError
from graft_worker.models.build import load_encoder
from graft_worker.models.encoder import TextEncoder
from tests.worker.models.texts_of_ids import padded, texts

SIZES: dict[str, dict[str, Any]] = {
    "roberta": {"max_position_embeddings": 66, "type_vocab_size": 1, "pad_token_id": 1},
    "distilbert": {},
    "electra": {"embedding_size": 16},
}


def saved(folder: Path, family: str) -> Any:
    from transformers import AutoConfig, AutoModel

    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": 97,
        "intermediate_size": 64,
    }
    if family == "distilbert":
        sizes = {"dim": 32, "n_layers": 2, "n_heads": 4, "vocab_size": 97, "hidden_dim": 64}
    torch.manual_seed(5)
    model = AutoModel.from_config(AutoConfig.for_model(family, **(sizes | SIZES[family]))).eval()
    model.save_pretrained(folder)
    return model


def load(folder: Path, *, random: bool = False, vocabulary: int | None = None) -> TextEncoder:
    return load_encoder(folder, random=random, seed=0, vocabulary=vocabulary)


@pytest.mark.parametrize("family", list(SIZES))
def test_hidden_states_and_pooled_vectors_are_the_librarys(tmp_path: Path, family: str) -> None:
    model = saved(tmp_path, family)
    encoder = load(tmp_path)
    assert isinstance(encoder, nn.Module)
    assert (encoder.packs, encoder.config.architecture) == (False, family)
    assert (encoder.config.hidden, encoder.config.layers, encoder.config.heads) == (32, 2, 4)
    batch = padded(texts((13, 4, 9), vocabulary=97))
    real = batch.segments > 0
    ids = batch.ids.masked_fill(~real, encoder.config.padding_id)
    types = {} if family in ("roberta", "distilbert") else {"token_type_ids": batch.types}
    with torch.no_grad():
        out = model(input_ids=ids, attention_mask=real.long(), **types)
        hidden = encoder.eval()(batch)
        pooled = encoder.summary(batch)
    torch.testing.assert_close(hidden[real], out.last_hidden_state[real], atol=1e-5, rtol=0)
    wanted = getattr(out, "pooler_output", None)
    wanted = out.last_hidden_state[:, 0] if wanted is None else wanted
    torch.testing.assert_close(pooled, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("family", list(SIZES))
def test_its_flops_are_those_that_torch_counts_and_attention(tmp_path: Path, family: str) -> None:
    """Torch does not count a CPU's fused attention, but a pooler that the library runs, too."""
    saved(tmp_path, family)
    encoder, batch = load(tmp_path), padded(texts((16, 16), vocabulary=97))
    assert isinstance(encoder, nn.Module)
    with FlopCounterMode(display=False) as counter:
        torch.autograd.backward(encoder.eval().summary(batch).sum())
    told = encoder.arithmetic()
    assert told.attended == 12 * 2 * 32
    again = 2 * 2 * 32 * 32 if family == "roberta" else 0  # two texts, forward
    assert replace(told, attended=0.0).of(batch) + again == counter.get_total_flops()


def test_random_weights_depend_on_the_seed_and_take_the_tokenizers_size(tmp_path: Path) -> None:
    saved(tmp_path, "roberta")
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = load(tmp_path, random=True, vocabulary=120)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    other = load(tmp_path, random=True, vocabulary=120)
    assert one.config.vocabulary == 120
    pairs = zip(one.hugging_face_state().items(), other.hugging_face_state().items(), strict=True)
    assert all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def test_depths_and_blocks_follow_the_family(tmp_path: Path) -> None:
    saved(tmp_path, "roberta")
    encoder = load(tmp_path)
    assert len(encoder.blocks()) == 2
    assert encoder.depth_of("model.embeddings.word_embeddings.weight") == 0
    assert encoder.depth_of("model.encoder.layer.1.output.dense.bias") == 2
    assert encoder.depth_of("model.pooler.dense.bias") == 3


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param(
            '{"model_type": "t5"}',
            "model_type 't5' is no encoder: it has a decoder too\n"
            "  choose an encoder, such as bert, roberta, electra or deberta-v2",
            id="a model with a decoder",
        ),
        pytest.param(
            '{"model_type": "brt"}',
            "the transformers library cannot make an encoder of it: The checkpoint you are trying ",
            id="an unknown family",
        ),
        pytest.param(
            '{"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}',
            "the transformers library cannot make an encoder of it: ",
            id="a family whose code lies in the folder",
        ),
    ],
)
def test_what_is_no_encoder_is_told(tmp_path: Path, config: str, message: str) -> None:
    (tmp_path / "config.json").write_text(config)
    (tmp_path / "mine.py").write_text("raise SystemExit('code of the folder was run')")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, random=True)
    assert str(caught.value).startswith(f"{tmp_path}: {message}")


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    saved(tmp_path, "electra")
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"pytorch_model\.bin, and only safetensors are read"):
        load(tmp_path)
