"""Encoders without attention, trained from nothing: TextCNN for a text, BiCNN for a pair.

Kim 2014, arXiv 1408.5882; BiCNN as EasyTransfer has it (`layers/cnn.py`), but with the mean of a
side's words, where that code adds up the wrong axis.

Shapes: S sequences, R rows, W slots per row, E size of a word's vector, D what is known of a side,
H what the head reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from graft_api.errors import ConfigError
from graft_worker.data.batch import Batch
from graft_worker.models.arithmetic import Arithmetic, of_weights
from graft_worker.models.bert import initialise, linear, table
from graft_worker.models.dropout import KeyedDropout
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.folders import CONFIG
from graft_worker.models.windows import Windows

TYPES = ("textcnn", "bicnn")
_DEVIATION = 0.1  # of the words' vectors, unless `initializer_range` says otherwise


class ConvolutionalEncoder(nn.Module):
    """A `TextEncoder` of words and windows over them; `comparison` joins the sides of a pair."""

    packs = False

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        size, filters, widths = _windows(config.raw)
        self.config = config
        self.words = table(config.vocabulary, size)
        self.windows = Windows(size=size, filters=filters, widths=widths)
        known = filters * len(widths) + size
        pair = config.architecture == "bicnn"
        self.comparison = Comparison(known, config.hidden, config.dropout) if pair else None

    @classmethod
    def random(cls, config: EncoderConfig, *, seed: int) -> ConvolutionalEncoder:
        """An encoder with initial weights: a function of config and seed, of no global state."""
        encoder = cls(config)
        generator = torch.Generator().manual_seed(seed)
        deviation = float(config.raw.get("initializer_range", _DEVIATION))
        nn.init.normal_(encoder.words.weight, 0, deviation, generator)
        encoder.windows.draw(generator)
        if encoder.comparison is not None:
            initialise(encoder.comparison, seed=seed, std=encoder.comparison.deviation)
        return encoder

    def summary(self, batch: Batch) -> Tensor:
        """What the text, or the pair, is known by: [S, H]."""
        words, real = self.words(batch.ids), batch.segments > 0
        rows = batch.first // batch.ids.shape[1]
        if self.comparison is None:
            found: Tensor = self.windows(words, real)
            return found.index_select(0, rows)
        first, second = (self._side(words, real & (batch.types == side)) for side in (0, 1))
        keys = batch.keys.flatten().index_select(0, batch.first)
        compared: Tensor = self.comparison(first[rows], second[rows], keys)
        return compared

    def _side(self, words: Tensor, real: Tensor) -> Tensor:
        """Windows and mean of the words of one side, [R, D]."""
        count = real.sum(dim=1, keepdim=True).clamp(min=1)
        mean = (words * real.unsqueeze(-1)).sum(dim=1) / count
        return torch.cat([self.windows(words, real), mean], dim=1)

    def depth_of(self, parameter: str) -> int:
        """0 for the words, 1 for the windows, 2 above."""
        return {"words": 0, "windows": 1}.get(parameter.partition(".")[0], 2)

    def arithmetic(self) -> Arithmetic:
        """FLOPs to learn by `summary`; a token is of one side, whose windows it stands in."""
        windows = of_weights(*self.windows.matrices())
        compared = of_weights(self.comparison.dense.weight) if self.comparison is not None else 0.0
        return Arithmetic(token=windows, sequence=compared)

    def blocks(self) -> nn.ModuleList:
        """None: nothing is repeated."""
        return nn.ModuleList()

    def units(self) -> nn.ModuleList:
        """None."""
        return self.blocks()

    def hugging_face_state(self) -> dict[str, Tensor]:
        """Its own names behind the name of its architecture."""
        prefix = f"{self.config.architecture}."
        return {prefix + k: v.detach().clone() for k, v in self.state_dict().items()}


class Comparison(nn.Module):
    """Two sides [S, D] to relu(dense(dropout(both, their difference, their product))), [S, H]."""

    def __init__(self, known: int, size: int, dropout: float) -> None:
        super().__init__()
        self.deviation = (4 * known) ** -0.5
        self.dropout = KeyedDropout(site=0, width=4 * known, rate=dropout)
        self.dense = linear(4 * known, size)

    def forward(self, first: Tensor, second: Tensor, keys: Tensor) -> Tensor:
        """[S, H]; keys [S] draw the dropout."""
        told = torch.cat([first, second, first - second, first * second], dim=1)
        return torch.relu(self.dense(self.dropout(told, keys)))


def encoder_config(raw: Mapping[str, Any]) -> EncoderConfig:
    """The sizes of a convolutional encoder from its config.json.

    Raises:
        ConfigError: a size is missing or no number; the message names its key.
    """
    size, filters, widths = _windows(raw)
    kind = str(raw["model_type"])
    hidden = _whole(raw, "hidden_size") if kind == "bicnn" else filters * len(widths)
    return EncoderConfig(
        architecture=kind,
        vocabulary=_whole(raw, "vocab_size"),
        hidden=hidden,
        layers=1,
        heads=1,
        intermediate=size,
        max_positions=0,
        dropout=float(raw.get("hidden_dropout_prob", 0.0)),
        raw=dict(raw),
    )


def load(
    config: EncoderConfig, weights: Mapping[str, Tensor], source: Path
) -> ConvolutionalEncoder:
    """The encoder of an artefact.

    Raises:
        ConfigError: weights are missing or have other shapes than config.json says.
    """
    encoder = ConvolutionalEncoder(config)
    prefix = f"{encoder.config.architecture}."
    state = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    for name, wanted in encoder.state_dict().items():
        found = "missing" if name not in state else f"of shape {list(state[name].shape)}"
        if name not in state or state[name].shape != wanted.shape:
            raise ConfigError(
                f"{source}: {prefix}{name} is {found}, expected {list(wanted.shape)}",
                hint=f"the sizes in {CONFIG} must fit the weights",
            )
    encoder.load_state_dict(state)
    return encoder


def _windows(raw: Mapping[str, Any]) -> tuple[int, int, tuple[int, ...]]:
    """Size of a word's vector, filters of a width, widths."""
    widths = raw.get("filter_sizes")
    if not isinstance(widths, list | tuple) or not widths:
        raise ConfigError(f"{CONFIG}: filter_sizes {widths!r}: expected a list of whole numbers")
    sizes = tuple(_whole({"filter_sizes": width}, "filter_sizes") for width in widths)
    return _whole(raw, "embedding_size"), _whole(raw, "num_filters"), sizes


def _whole(raw: Mapping[str, Any], key: str) -> int:
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{CONFIG}: {key} {value!r}: expected a whole number from 1")
    return value
