"""Which parameters fine-tuning trains, how fast, and with how much decay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graft_api.errors import ConfigError
from graft_api.methods.finetune import Finetune
from graft_worker.models.bert import BertEncoder
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.heads import SequenceClassifier
from graft_worker.transfer import finetune
from tests.worker.train import tiny


def found(spec: Finetune) -> dict[str, tuple[float, float]]:
    """Rate and decay of every trained parameter by name."""
    module = tiny.Classifier()
    names = {id(p): name for name, p in module.named_parameters()}
    groups = finetune.groups(module, spec, 0.01)
    trained = {
        names[id(p)]: (g["lr_scale"], g["weight_decay"]) for g in groups for p in g["params"]
    }
    frozen = {name for name, p in module.named_parameters() if not p.requires_grad}
    assert trained.keys() == set(names.values()) - frozen
    return trained


def test_everything_is_trained_at_the_full_rate_and_only_matrices_decay() -> None:
    trained = found(Finetune())
    assert {scale for scale, _ in trained.values()} == {1.0}
    decaying = sorted(name for name, (_, decay) in trained.items() if decay)
    assert decaying == [
        "encoder.embedding.weight",
        "encoder.layers.0.down.weight",
        "encoder.layers.0.up.weight",
        "encoder.layers.1.down.weight",
        "encoder.layers.1.up.weight",
        "head.weight",
    ]


def test_freezing_one_layer_freezes_the_embeddings_too() -> None:
    assert all(
        n.startswith(("encoder.layers.1", "head", "scale"))
        for n in found(Finetune(freeze_layers=1))
    )


def test_the_rate_decays_from_the_head_down_to_the_embeddings() -> None:
    trained = found(Finetune(layer_decay=0.5))
    assert {
        name: trained[name][0]
        for name in (
            "head.weight",
            "encoder.layers.1.up.weight",
            "encoder.layers.0.up.bias",
            "encoder.embedding.weight",
        )
    } == {
        "head.weight": 1.0,
        "encoder.layers.1.up.weight": 0.5,
        "encoder.layers.0.up.bias": 0.25,
        "encoder.embedding.weight": 0.125,
    }


def albert(**changed: Any) -> SequenceClassifier:
    """A classifier over twelve steps that share their layers."""
    config = EncoderConfig(
        architecture="albert",
        vocabulary=20,
        hidden=8,
        layers=12,
        heads=2,
        intermediate=16,
        max_positions=16,
        embedding=4,
        groups=1,
    )
    encoder = BertEncoder.random(replace(config, **changed), seed=0)
    return SequenceClassifier(encoder, outputs=2, dropout=0.0, seed=0)


def trained(module: SequenceClassifier, spec: Finetune) -> dict[str, float]:
    """The rate of every trained part of the network."""
    names = {id(p): name for name, p in module.named_parameters()}
    groups = finetune.groups(module, spec, 0.01)
    rates = {names[id(p)]: g["lr_scale"] for g in groups for p in g["params"]}
    return {name.removesuffix(".weight"): r for name, r in rates.items() if name.endswith("weight")}


def test_shared_layers_learn_at_the_rate_of_the_last_of_them() -> None:
    rates = trained(albert(), Finetune(layer_decay=0.5))
    assert rates["classifier"] == rates["encoder.pooler"] == 1.0
    assert rates["encoder.layers.0.qkv"] == 0.5
    assert rates["encoder.projection"] == rates["encoder.embeddings.tokens"] == 0.5**13


def test_shared_layers_are_frozen_together_or_not_at_all() -> None:
    assert trained(albert(), Finetune(freeze_layers=12)).keys() == {"classifier", "encoder.pooler"}
    with pytest.raises(ConfigError) as caught:
        finetune.groups(albert(), Finetune(freeze_layers=3), 0.0)
    assert str(caught.value) == (
        "method.finetune.freezeLayers: 3, but layers 3 and 4 of this model share their weights\n"
        "  use one of 0, 12"
    )
    found = trained(albert(groups=3), Finetune(freeze_layers=8))
    assert {name.split(".")[2] for name in found if ".layers." in name} == {"2"}


def test_more_frozen_layers_than_there_are_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        finetune.groups(tiny.Classifier(), Finetune(freeze_layers=14), 0.0)
    assert str(caught.value) == (
        "method.finetune.freezeLayers: 14 is more than the model's 2 layers\n"
        "  use a number from 0 to 2"
    )
