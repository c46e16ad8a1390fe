"""Tokenizers: read from a model folder, trained on texts, always with the pair template.

Free of torch, so that the prepare stage starts quickly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tokenizers import Tokenizer, models

from graft_api.errors import ConfigError
from graft_worker.models.special import NAMES, Special, framed, special
from graft_worker.models.vocabularies import (
    UNKNOWN,
    bert_style,
    byte_style,
    train_bytes,
    train_wordpiece,
)

__all__ = ["Special", "load", "save", "special", "train"]

TOKENIZER = "tokenizer.json"


def load(folder: Path) -> Tokenizer:
    """The tokenizer of a folder, neither cutting nor padding, framing `[CLS] a [SEP] b [SEP]`.

    Read from tokenizer.json, else vocab.txt (WordPiece), else vocab.json and merges.txt (bytes).

    Raises:
        ConfigError: none of these is there, or one cannot be used.
    """
    for names, reader in _READERS.items():
        if all((folder / name).is_file() for name in names):
            tokenizer = _read(folder, names, reader)
            tokenizer.no_truncation()
            tokenizer.no_padding()
            return _framed(tokenizer, folder / names[0])
    raise ConfigError(
        f"{folder}: no tokenizer in it; looked for "
        + ", ".join(" with ".join(names) for names in _READERS),
        hint="put one of them there, or set spec.model.tokenizer to train one or take another",
    )


def train(texts: Iterable[str], *, kind: str, size: int) -> Tokenizer:
    """A tokenizer learnt from texts, a function of these alone: `wordpiece` or `bpe`.

    Raises:
        ConfigError: the kind is another.
    """
    if kind not in _TRAINERS:
        known = " or ".join(_TRAINERS)
        raise ConfigError(
            f"spec.model.tokenizer.train.kind: {kind!r} is not available in this version",
            hint=f"use {known}",
        )
    return framed(_TRAINERS[kind](texts, size))


def save(tokenizer: Tokenizer, folder: Path) -> Path:
    """Path of the tokenizer.json that now holds the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / TOKENIZER
    beside = folder / f".{TOKENIZER}.partial"
    beside.write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    beside.replace(path)
    return path


def _framed(tokenizer: Tokenizer, path: Path) -> Tokenizer:
    try:
        ids = special(tokenizer)
        encoded = tokenizer.encode("a", "a").ids
        whole = encoded[:1] == [ids.cls] and encoded.count(ids.sep) >= 2
        return tokenizer if whole else framed(tokenizer)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", hint=error.hint) from None


def _read(folder: Path, names: tuple[str, ...], reader: Callable[[Path], Tokenizer]) -> Tokenizer:
    try:
        return reader(folder)
    except ConfigError:
        raise
    except Exception as error:  # the library raises bare Exception for every fault of a file
        raise ConfigError(
            f"{folder / names[0]}: not a tokenizer: {error}", hint="copy or download it again"
        ) from None


def _from_json(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / TOKENIZER))


def _from_wordpiece(folder: Path) -> Tokenizer:
    options = _options(folder)
    vocabulary = _vocabulary(folder / "vocab.txt")
    model = models.WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=100)
    tokenizer = bert_style(
        model,
        lowercase=bool(options.get("do_lower_case", True)),
        chinese=bool(options.get("tokenize_chinese_chars", True)),
    )
    present = [name for names in NAMES.values() for name in names if name in vocabulary]
    tokenizer.add_special_tokens(present)
    return tokenizer


def _from_bytes(folder: Path) -> Tokenizer:
    model = models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = byte_style(model)
    present = [n for names in NAMES.values() for n in names if tokenizer.token_to_id(n) is not None]
    tokenizer.add_special_tokens(present)
    return tokenizer


def _vocabulary(path: Path) -> dict[str, int]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}") from None
    pieces = [line.rstrip("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    if UNKNOWN not in vocabulary:
        raise ConfigError(f"{path}: {len(vocabulary)} pieces and no [UNK]: not a BERT vocabulary")
    return vocabulary


def _options(folder: Path) -> Mapping[str, Any]:
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return {}
    options = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(options, dict):
        raise ConfigError(f"{path}: expected an object, found {type(options).__name__}")
    return options


_READERS: Mapping[tuple[str, ...], Callable[[Path], Tokenizer]] = MappingProxyType(
    {
        (TOKENIZER,): _from_json,
        ("vocab.txt",): _from_wordpiece,
        ("vocab.json", "merges.txt"): _from_bytes,
    }
)
_TRAINERS: Mapping[str, Callable[[Iterable[str], int], Tokenizer]] = MappingProxyType(
    {"wordpiece": train_wordpiece, "bpe": train_bytes}
)
