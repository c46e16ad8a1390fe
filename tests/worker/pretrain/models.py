"""Models of the small vocabulary, and folders that the usual library reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from graft_worker.models.bert import BertEncoder
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.hugging_face import masked_config
from graft_worker.models.masked import MaskedLanguageModel
from tests.worker.pretrain import small


def model(*, seed: int = 0, pairs: bool = False, **changed: Any) -> MaskedLanguageModel:
    config = EncoderConfig(
        architecture="bert",
        vocabulary=small.tokenizer().get_vocab_size(),
        hidden=16,
        layers=2,
        heads=4,
        intermediate=32,
        max_positions=64,
        raw={"initializer_range": 0.5},
    )
    config = replace(config, **changed)
    made = MaskedLanguageModel(BertEncoder.random(config, seed=seed), seed=seed, pairs=pairs)
    with torch.no_grad():
        made.bias.copy_(torch.linspace(-1, 1, config.vocabulary))
    return made.eval()


def published(module: MaskedLanguageModel, folder: Path, *, pooler: bool = False) -> Path:
    folder.mkdir()
    pairs = module.relation is not None
    save_file(
        module.hugging_face_state(pooler=pooler),
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    (folder / "config.json").write_text(json.dumps(masked_config(module.encoder, pairs=pairs)))
    return folder
