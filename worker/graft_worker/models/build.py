"""From a model folder to an encoder with weights."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from graft_api.errors import ConfigError
from graft_worker.models import convolutional, hugging_face, weights
from graft_worker.models.bert import BertEncoder
from graft_worker.models.convolutional import ConvolutionalEncoder
from graft_worker.models.encoder import EncoderConfig, TextEncoder
from graft_worker.models.folders import read_config

log = logging.getLogger(__name__)

OWN = ("bert", "roberta", "albert")
_TUNED = ("bert", "albert")  # RoBERTa's classifier is another: the library has it


def load_encoder(folder: Path, *, random: bool, seed: int, vocabulary: int | None) -> TextEncoder:
    """The encoder of a folder: our own for BERT, ALBERT and CNNs, else that of `transformers`.

    `random` takes the sizes alone and draws initial weights, a function of config and seed.
    `vocabulary` is the tokenizer's number of ids: random weights take it as their size,
    pretrained ones must have at least as many.

    Raises:
        ConfigError: the folder lacks a file, its files do not fit each other or the tokenizer.
    """
    raw = read_config(folder)
    kind = raw.get("model_type", "bert")
    if kind in _TUNED:
        return _bert(folder, raw, random=random, seed=seed, vocabulary=vocabulary)
    if kind in convolutional.TYPES:
        return _convolutional(folder, raw, random=random, seed=seed, vocabulary=vocabulary)
    from graft_worker.models.auto import AutoEncoder

    encoder = AutoEncoder.load(folder, random=random, seed=seed, vocabulary=vocabulary)
    check_vocabulary(encoder.config, vocabulary, folder)
    return encoder


def load_own(folder: Path, *, random: bool, seed: int, vocabulary: int | None) -> BertEncoder:
    """As `load_encoder`, but always an encoder of ours; RoBERTa, too, is one here.

    Raises:
        ConfigError: as said; or the folder is of another family.
    """
    raw = read_config(folder)
    if (kind := raw.get("model_type", "bert")) not in OWN:
        raise ConfigError(
            f"spec.model.from: {folder} is of the family {kind},"
            " which cannot be pretrained in this version",
            hint=f"available: {', '.join(OWN)}",
        )
    return _bert(folder, raw, random=random, seed=seed, vocabulary=vocabulary)


def check_vocabulary(config: EncoderConfig, vocabulary: int | None, folder: Path) -> None:
    """Refuses a tokenizer with more ids than the model has embeddings.

    Raises:
        ConfigError: as said.
    """
    if vocabulary is not None and vocabulary > config.vocabulary:
        raise ConfigError(
            f"spec.model.tokenizer: {vocabulary} token ids, but the weights in {folder} "
            f"have embeddings for {config.vocabulary}",
            hint="use the tokenizer that belongs to the weights, or "
            "spec.model.from.config for random weights of the tokenizer's size",
        )


def _bert(
    folder: Path, raw: Mapping[str, Any], *, random: bool, seed: int, vocabulary: int | None
) -> BertEncoder:
    config = hugging_face.encoder_config(raw)
    if random:
        sized = replace(config, vocabulary=vocabulary or config.vocabulary)
        return BertEncoder.random(sized, seed=seed)
    check_vocabulary(config, vocabulary, folder)
    return _pretrained(BertEncoder(config), folder, seed=seed)


def _convolutional(
    folder: Path, raw: Mapping[str, Any], *, random: bool, seed: int, vocabulary: int | None
) -> ConvolutionalEncoder:
    config = convolutional.encoder_config(raw)
    if random:
        sized = replace(config, vocabulary=vocabulary or config.vocabulary)
        return ConvolutionalEncoder.random(sized, seed=seed)
    check_vocabulary(config, vocabulary, folder)
    return convolutional.load(config, weights.read_weights(folder), folder)


def _pretrained(encoder: BertEncoder, folder: Path, *, seed: int) -> BertEncoder:
    found = weights.read_weights(folder)
    state = weights.from_hugging_face(found, encoder.state_dict(), encoder.config, source=folder)
    if "pooler.weight" not in state:
        encoder.draw_pooler(seed=seed)
        log.warning("%s has no pooler: it starts from random weights of seed %d", folder, seed)
    encoder.load_state_dict(state, strict=False)
    return encoder
