"""Where a model starts from: the folder, its digest, and whether its weights are random."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from graft_api.errors import ConfigError
from graft_worker.data import remote
from graft_worker.models import tokenization
from graft_worker.models import zoo as zoos
from graft_worker.models.fetching import fetch
from graft_worker.models.folders import CONFIG, read_config, weight_files

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from graft_api.model import Architecture, Model, TokenizerOrigin
    from graft_api.model import Origin as OriginSpec

_FIELD = "spec.model.from"
# Keys of config.json that the fields of model.from.config fill.
_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "layers": "num_hidden_layers",
        "hidden": "hidden_size",
        "heads": "num_attention_heads",
        "intermediate": "intermediate_size",
        "inner_groups": "inner_group_num",
    }
)
# RoBERTa counts positions from 2, behind the id of its padding.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "bert": {"model_type": "bert"},
        "roberta": {"model_type": "roberta", "max_position_embeddings": 514, "type_vocab_size": 1},
        "albert": {"model_type": "albert"},
        "auto": {},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A model folder, ready to read."""

    folder: Path
    digest: str  # sha256:..., of the weights and the config; of the config alone where random
    random: bool  # the folder holds sizes, not weights


def resolve(spec: Model, *, zoo: Path | None, into: Path) -> Origin:
    """The origin that `spec.model` describes. What must be fetched or written goes to `into`.

    Raises:
        ConfigError: it cannot be had, does not fit together, or is not the pinned revision.
    """
    if spec.from_.config is not None:
        folder = _written(spec.from_.config, into)
        found = Origin(folder=folder, digest=digest((folder / CONFIG,)), random=True)
    else:
        folder = folder_of(spec.from_, zoo=zoo, into=into)
        read_config(folder)
        files = (folder / CONFIG, *weight_files(folder))
        found = Origin(folder=folder, digest=digest(files), random=False)
    return pinned(found, spec.revision)


def pinned(found: Origin, revision: str | None) -> Origin:
    """The origin itself.

    Raises:
        ConfigError: it is not the pinned revision.
    """
    if revision is not None and revision != found.digest:
        raise ConfigError(
            f"spec.model.revision: pinned to {revision}, but {found.folder} has {found.digest}",
            hint="take the pin away to accept these weights, or restore the pinned ones",
        )
    return found


def own(config: Mapping[str, Any], *, into: Path) -> Origin:
    """The origin of an app's own network, of random weights: its config.json goes to `into`."""
    folder = _write(config, into)
    return Origin(folder=folder, digest=digest((folder / CONFIG,)), random=True)


def folder_of(origin: OriginSpec | TokenizerOrigin, *, zoo: Path | None, into: Path) -> Path:
    """The folder of a zoo name or of a URI; remote ones are fetched into `into`, once.

    Raises:
        ConfigError: it cannot be had.
    """
    if origin.zoo is not None:
        return zoos.resolve(origin.zoo, zoo=zoo)
    if origin.uri is None:
        raise ConfigError(f"{_FIELD}.job: nobody put an artefact in its place", hint="use uri")
    if remote.is_remote(origin.uri):
        return fetch(origin.uri.rstrip("/"), into)
    return _local(origin.uri)


def tokenizer(
    spec: Model, start: Origin, *, texts: Iterator[str], zoo: Path | None, into: Path
) -> Tokenizer:
    """The tokenizer that `spec.model` describes: the origin's own, another, or one of the texts.

    Raises:
        ConfigError: it cannot be had.
    """
    wish = spec.tokenizer
    if wish is None:
        return tokenization.load(start.folder)
    if wish.train is not None:
        return tokenization.train(texts, kind=wish.train.kind, size=wish.train.size)
    assert wish.from_ is not None
    return tokenization.load(folder_of(wish.from_, zoo=zoo, into=into))


def digest(files: Iterable[Path]) -> str:
    """`sha256:` and 64 hex digits over names and contents, in the order of the names."""
    whole = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.name):
        with file.open("rb") as stream:
            one = hashlib.file_digest(stream, "sha256").hexdigest()
        whole.update(f"{one}  {file.name}\n".encode())
    return f"sha256:{whole.hexdigest()}"


def _local(uri: str) -> Path:
    scheme, _, path = uri.partition("://") if "://" in uri else ("file", "", uri)
    if scheme != "file":
        raise ConfigError(
            f"{_FIELD}.uri: {uri}: cannot read {scheme}:// here",
            hint="use a folder, file://, https://, s3:// or hf://",
        )
    folder = Path(unquote(path) if "://" in uri else path)
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise ConfigError(
            f"{_FIELD}.uri: {folder} {found}",
            hint="name a folder with config.json, model.safetensors and tokenizer.json",
        )
    return folder


def _written(wish: Architecture, into: Path) -> Path:
    """The folder whose config.json says what the wish says."""
    if wish.architecture not in _DEFAULTS:
        raise ConfigError(
            f"{_FIELD}.config.architecture: {wish.architecture} is not available in this version",
            hint=f"use one of {', '.join(_DEFAULTS)}",
        )
    return _write(_config(wish), into)


def _write(config: Mapping[str, Any], into: Path) -> Path:
    into.mkdir(parents=True, exist_ok=True)
    beside = into / f".{CONFIG}.partial"
    beside.write_text(json.dumps(dict(config), indent=1, sort_keys=True), encoding="utf-8")
    beside.replace(into / CONFIG)
    return into


def _config(wish: Architecture) -> dict[str, Any]:
    fields = {key: getattr(wish, name) for name, key in _KEYS.items()}
    given = {key: value for key, value in fields.items() if value is not None}
    given.setdefault("intermediate_size", 4 * wish.hidden)
    config = {**_DEFAULTS[wish.architecture], **given, **wish.options}
    if not isinstance(config.get("model_type"), str):
        raise ConfigError(
            f"{_FIELD}.config.options.model_type: is required by architecture auto",
            hint="name a family of the transformers library, such as electra",
        )
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    if not _divides(heads, hidden):
        raise ConfigError(
            f"{_FIELD}.config.hidden: {hidden} must be a multiple of heads {heads}",
            hint="heads share the hidden width evenly: 768 has 12, 384 has 12, 128 has 2",
        )
    return config


def _divides(part: object, whole: object) -> bool:
    return isinstance(part, int) and isinstance(whole, int) and part > 0 and whole % part == 0
