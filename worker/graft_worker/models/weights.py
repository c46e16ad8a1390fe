"""The weights of a model folder, and those of BERT's family under our names and under theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from graft_api.errors import ConfigError
from graft_worker.models import names
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.folders import CONFIG, weight_files

_WORDS = "embeddings.word_embeddings.weight"


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


def to_hugging_face(state: Mapping[str, Tensor], config: EncoderConfig) -> dict[str, Tensor]:
    """Our weights under their names, behind the family's, each contiguous on its own storage."""
    theirs: dict[str, Tensor] = {}
    for ours, named in names.places(config):
        parts = state[ours].detach().chunk(len(named))
        theirs |= {
            f"{config.architecture}.{name}": part.clone()
            for name, part in zip(named, parts, strict=True)
        }
    return theirs


def from_hugging_face(
    state: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    config: EncoderConfig,
    *,
    source: Path,
) -> dict[str, Tensor]:
    """Their weights under our names, in the shapes of `expected`; the pooler may be missing.

    Names may carry any prefix (`bert.`), norms may be called gamma and beta; weights that no
    encoder has (heads, position ids) are passed over.

    Raises:
        ConfigError: weights are missing or have other shapes than config.json says.
    """
    plain = _plain(state, config, source)
    places = dict(names.places(config))
    if not any(name in plain for name in places["pooler.weight"]):
        places = {ours: named for ours, named in places.items() if "pooler" not in ours}
    if missing := [name for named in places.values() for name in named if name not in plain]:
        raise ConfigError(_lacks(missing, plain, config, source))
    found = {ours: _joined(plain, named) for ours, named in places.items()}
    for ours, tensor in found.items():
        if tensor.shape != expected[ours].shape:
            raise ConfigError(_misshapen(places[ours][0], tensor, expected[ours], source))
    return found


def _joined(plain: Mapping[str, Tensor], named: Sequence[str]) -> Tensor:
    return plain[named[0]] if len(named) == 1 else torch.cat([plain[name] for name in named])


def _plain(state: Mapping[str, Tensor], config: EncoderConfig, source: Path) -> dict[str, Tensor]:
    words = next((name for name in state if name.endswith(_WORDS)), None)
    if words is None:
        raise ConfigError(
            f"{source}: no {_WORDS} among its weights: these are no weights of"
            f" {config.architecture}",
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


def _lacks(
    missing: Sequence[str], plain: Mapping[str, Tensor], config: EncoderConfig, source: Path
) -> str:
    layers = len({name.split(".")[2] for name in plain if name.startswith("encoder.layer.")})
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    told = f"{source}: weights lack {missing[0]}{more}"
    if config.groups is not None:
        return f"{told}: num_hidden_groups and inner_group_num in {CONFIG} must fit the weights"
    return f"{told}; they hold {layers} layers: num_hidden_layers in {CONFIG} must fit the weights"


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
