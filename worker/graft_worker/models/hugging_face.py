"""BERT in the words of the `transformers` library: its config.json and its names of weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from graft_api.errors import ConfigError
from graft_worker.data.prepared import Problem
from graft_worker.models.encoder import EncoderConfig, TextEncoder
from graft_worker.models.folders import CONFIG, weight_files

PROBLEM_TYPES: Mapping[Problem, str] = {
    "single_label": "single_label_classification",
    "multi_label": "multi_label_classification",
    "regression": "regression",
}
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
# Where RoBERTa's defaults are others.
_USUAL: Mapping[str, Mapping[str, int]] = {"roberta": {"vocab_size": 50265, "pad_token_id": 1}}
# Facts of the run that wrote the file, not of the model.
_STALE = (
    *("_name_or_path", "architectures", "transformers_version", "torch_dtype", "dtype"),
    *("id2label", "label2id", "num_labels", "problem_type", "finetuning_task"),
    "gradient_checkpointing",
)
_WORDS = "embeddings.word_embeddings.weight"


def encoder_config(raw: Mapping[str, Any]) -> EncoderConfig:
    """The sizes of a BERT or RoBERTa from its config.json; absent keys have the library's defaults.

    Raises:
        ConfigError: a value cannot be used; the message names the key.
    """
    family = str(raw.get("model_type", "bert"))
    usual = _USUAL.get(family, {})
    numbers = {ours: _number(raw, key, usual.get(key, default)) for ours, key, default in _NUMBERS}
    activation = raw.get("hidden_act", "gelu")
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
    family = {"bert": "Bert", "roberta": "Roberta"}[config.architecture]
    reader = f"{family}ForPreTraining" if pairs else f"{family}ForMaskedLM"
    return kept | _own(config) | {"architectures": [reader]}


def _own(config: EncoderConfig) -> dict[str, Any]:
    sizes = {key: getattr(config, ours) for ours, key, _ in _NUMBERS}
    told = {"model_type": config.architecture, "dtype": "float32"}
    return told | sizes | {"hidden_act": config.activation}


def _sizes(config: EncoderConfig) -> dict[str, Any]:
    if config.architecture != "bert":
        return {"vocab_size": config.vocabulary}
    return {"architectures": ["BertForSequenceClassification"], **_own(config)}


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Every tensor of a model folder, by the name it has there.

    Raises:
        ConfigError: there are no safetensors, or a file is damaged.
    """
    tensors: dict[str, Tensor] = {}
    for file in weight_files(folder):
        try:
            with safe_open(file, framework="pt") as opened:
                tensors |= {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise ConfigError(
                f"{file}: damaged: {error}", hint="copy or download the file again"
            ) from None
    return tensors


def to_hugging_face(state: Mapping[str, Tensor], *, prefix: str = "") -> dict[str, Tensor]:
    """Our weights under their names, detached, each contiguous and on its own storage."""
    theirs: dict[str, Tensor] = {}
    for ours, names in _places(_layers(state)):
        parts = state[ours].detach().chunk(len(names))
        theirs |= {prefix + name: part.clone() for name, part in zip(names, parts, strict=True)}
    return theirs


def from_hugging_face(
    state: Mapping[str, Tensor], expected: Mapping[str, Tensor], *, source: Path
) -> dict[str, Tensor]:
    """Their weights under our names, in the shapes of `expected`; the pooler may be missing.

    Names may carry any prefix (`bert.`), norms may be called gamma and beta; weights that no
    encoder has (heads, position ids) are passed over.

    Raises:
        ConfigError: weights are missing or have other shapes than config.json says.
    """
    plain = _plain(state, source)
    places = dict(_places(_layers(expected)))
    if not any(name in plain for name in places["pooler.weight"]):
        places = {ours: names for ours, names in places.items() if "pooler" not in ours}
    if missing := [name for names in places.values() for name in names if name not in plain]:
        raise ConfigError(_lacks(missing, plain, source))
    found = {ours: _joined(plain, names) for ours, names in places.items()}
    for ours, tensor in found.items():
        if tensor.shape != expected[ours].shape:
            raise ConfigError(_misshapen(places[ours][0], tensor, expected[ours], source))
    return found


def _joined(plain: Mapping[str, Tensor], names: Sequence[str]) -> Tensor:
    return plain[names[0]] if len(names) == 1 else torch.cat([plain[name] for name in names])


def _places(layers: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Our name and theirs; several where ours is their concatenation."""
    embeddings = "embeddings."
    for ours, theirs in (("tokens", "word"), ("positions", "position"), ("types", "token_type")):
        yield f"{embeddings}{ours}.weight", (f"{embeddings}{theirs}_embeddings.weight",)
    yield from _both("embeddings.norm", "embeddings.LayerNorm")
    for index in range(layers):
        at, their = f"layers.{index}", f"encoder.layer.{index}"
        heads = (f"{their}.attention.self.{name}" for name in ("query", "key", "value"))
        yield from _both(f"{at}.qkv", *heads)
        yield from _both(f"{at}.out", f"{their}.attention.output.dense")
        yield from _both(f"{at}.attention_norm", f"{their}.attention.output.LayerNorm")
        yield from _both(f"{at}.up", f"{their}.intermediate.dense")
        yield from _both(f"{at}.down", f"{their}.output.dense")
        yield from _both(f"{at}.norm", f"{their}.output.LayerNorm")
    yield from _both("pooler", "pooler.dense")


def _both(ours: str, *theirs: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for kind in ("weight", "bias"):
        yield f"{ours}.{kind}", tuple(f"{name}.{kind}" for name in theirs)


def _layers(state: Mapping[str, Tensor]) -> int:
    return sum(name.startswith("layers.") and name.endswith(".qkv.weight") for name in state)


def _plain(state: Mapping[str, Tensor], source: Path) -> dict[str, Tensor]:
    words = next((name for name in state if name.endswith(_WORDS)), None)
    if words is None:
        raise ConfigError(
            f"{source}: no {_WORDS} among its weights: these are not a BERT's",
            hint="model_type in config.json must fit the weights",
        )
    prefix = words.removesuffix(_WORDS)
    return {
        _modern(name.removeprefix(prefix)): tensor
        for name, tensor in state.items()
        if name.startswith(prefix)
    }


def _modern(name: str) -> str:
    head, _, last = name.rpartition(".")
    return f"{head}.{ {'gamma': 'weight', 'beta': 'bias'}.get(last, last) }"


def _lacks(missing: Sequence[str], plain: Mapping[str, Tensor], source: Path) -> str:
    layers = len({name.split(".")[2] for name in plain if name.startswith("encoder.layer.")})
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return (
        f"{source}: weights lack {missing[0]}{more}; they hold {layers} layers: "
        f"num_hidden_layers in {CONFIG} must fit the weights"
    )


def _misshapen(name: str, found: Tensor, expected: Tensor, source: Path) -> str:
    key = {
        _WORDS: "vocab_size",
        "embeddings.position_embeddings.weight": "max_position_embeddings",
        "embeddings.token_type_embeddings.weight": "type_vocab_size",
    }.get(name, "the sizes")
    if found.dim() > 1 and found.shape[-1] != expected.shape[-1]:
        key = "the sizes"
    return (
        f"{source}: {name} has shape {list(found.shape)}, expected {list(expected.shape)}: "
        f"{key} in {CONFIG} must fit the weights"
    )


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
