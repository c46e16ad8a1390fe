"""BERT's family in the words of the `transformers` library: its config.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graft_api.errors import ConfigError
from graft_worker.data.prepared import Problem
from graft_worker.models.encoder import EncoderConfig, TextEncoder
from graft_worker.models.folders import CONFIG, PROBLEM_TYPES

ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_new",
    "gelu_pytorch_tanh": "gelu_new",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
# Our field, their key, their default.
_NUMBERS: tuple[tuple[str, str, int | float], ...] = (
    ("vocabulary", "vocab_size", 30522),
    ("hidden", "hidden_size", 768),
    ("layers", "num_hidden_layers", 12),
    ("heads", "num_attention_heads", 12),
    ("intermediate", "intermediate_size", 3072),
    ("max_positions", "max_position_embeddings", 512),
    ("type_vocabulary", "type_vocab_size", 2),
    ("dropout", "hidden_dropout_prob", 0.1),
    ("layer_norm_eps", "layer_norm_eps", 1e-12),
    ("padding_id", "pad_token_id", 0),
)
_SHARED = (
    ("embedding", "embedding_size", 128),
    ("groups", "num_hidden_groups", 1),
    ("inner", "inner_group_num", 1),
)
# Where defaults are not BERT's.
_USUAL: Mapping[str, Mapping[str, Any]] = {
    "roberta": {"vocab_size": 50265, "pad_token_id": 1},
    "albert": {
        "vocab_size": 30000,
        "hidden_size": 4096,
        "num_attention_heads": 64,
        "intermediate_size": 16384,
        "hidden_dropout_prob": 0.0,
        "hidden_act": "gelu_new",
    },
}
_CLASSES = {"bert": "Bert", "roberta": "Roberta", "albert": "Albert"}
# Facts of the run that wrote the file, not of the model.
_STALE = (
    *("_name_or_path", "architectures", "transformers_version", "torch_dtype", "dtype"),
    *("id2label", "label2id", "num_labels", "problem_type", "finetuning_task"),
    "gradient_checkpointing",
)


def encoder_config(raw: Mapping[str, Any]) -> EncoderConfig:
    """The sizes of BERT's family from a config.json; absent keys have the library's defaults.

    Raises:
        ConfigError: a value cannot be used; the message names the key.
    """
    family = str(raw.get("model_type", "bert"))
    usual = _USUAL.get(family, {})
    numbers = {
        ours: _number(raw, key, usual.get(key, default)) for ours, key, default in _numbers(family)
    }
    activation = raw.get("hidden_act", usual.get("hidden_act", "gelu"))
    if activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ConfigError(f"{CONFIG}: hidden_act {activation!r}: expected one of {known}")
    if (kind := raw.get("position_embedding_type", "absolute")) != "absolute":
        raise ConfigError(f"{CONFIG}: position_embedding_type {kind!r}: expected 'absolute'")
    config = EncoderConfig(
        architecture=family, activation=ACTIVATIONS[activation], raw=dict(raw), **numbers
    )
    if config.hidden % config.heads:
        raise ConfigError(
            f"{CONFIG}: hidden_size {config.hidden} must be a multiple of "
            f"num_attention_heads {config.heads}"
        )
    if config.groups is not None and config.groups > config.layers:
        raise ConfigError(
            f"{CONFIG}: num_hidden_groups {config.groups}: expected at most "
            f"num_hidden_layers {config.layers}"
        )
    return config


def config_json(encoder: TextEncoder, problem: Problem, labels: Sequence[str]) -> dict[str, Any]:
    """The config.json with which AutoModelForSequenceClassification reads an artefact.

    `labels` are in the order of the outputs; empty for regression, whose one output is `score`.
    """
    config = encoder.config
    names = dict(enumerate(labels or ("score",)))
    kept = {key: value for key, value in config.raw.items() if key not in _STALE}
    return (
        kept
        | _sizes(config)
        | {
            "id2label": {str(index): name for index, name in names.items()},
            "label2id": {name: index for index, name in names.items()},
            "problem_type": PROBLEM_TYPES[problem],
        }
    )


def masked_config(encoder: TextEncoder, *, pairs: bool = False) -> dict[str, Any]:
    """The config.json with which AutoModelForMaskedLM, or -ForPreTraining, reads an artefact."""
    config = encoder.config
    kept = {key: value for key, value in config.raw.items() if key not in _STALE}
    family = _CLASSES[config.architecture]
    reader = f"{family}ForPreTraining" if pairs else f"{family}ForMaskedLM"
    return kept | _own(config) | {"architectures": [reader]}


def _numbers(family: str) -> tuple[tuple[str, str, int | float], ...]:
    return (*_NUMBERS, *_SHARED) if family == "albert" else _NUMBERS


def _own(config: EncoderConfig) -> dict[str, Any]:
    sizes = {key: getattr(config, ours) for ours, key, _ in _numbers(config.architecture)}
    told = {"model_type": config.architecture, "dtype": "float32"}
    return told | sizes | {"hidden_act": config.activation}


def _sizes(config: EncoderConfig) -> dict[str, Any]:
    if config.architecture not in ("bert", "albert"):
        return {"vocab_size": config.vocabulary}
    reader = f"{_CLASSES[config.architecture]}ForSequenceClassification"
    return {"architectures": [reader], **_own(config)}


def _number(raw: Mapping[str, Any], key: str, default: int | float) -> Any:
    value = raw.get(key)
    value = default if value is None else value
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    whole = isinstance(default, float) or (fits and float(value).is_integer())
    if not fits or not whole or not _in_range(key, value):
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise ConfigError(f"{CONFIG}: {key} {value!r}: expected {kind} in its range")
    return type(default)(value)


def _in_range(key: str, value: float) -> bool:
    if key == "hidden_dropout_prob":
        return 0 <= value < 1
    return value > 0 or (value == 0 and key in ("pad_token_id", "num_hidden_layers"))
