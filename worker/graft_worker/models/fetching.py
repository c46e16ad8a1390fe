"""Model folders behind https://, s3:// and hf://: copied file by file, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

from graft_api.errors import ConfigError, DataError
from graft_worker.data import remote
from graft_worker.models.folders import CONFIG, INDEX, WEIGHTS, shard_names

_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt")


def fetch(uri: str, into: Path) -> Path:
    """`into`, which now holds the model or tokenizer of the URI; fetched before, it is kept.

    Raises:
        ConfigError: nothing is there, or a file cannot be read.
    """
    if into.is_dir():
        return into
    beside = into.with_name(f".{into.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    wanted = (CONFIG, WEIGHTS, INDEX, *_TOKENIZER)
    found = [name for name in wanted if _copied(uri, name, beside)]
    if not found:
        raise ConfigError(
            f"spec.model: {uri}: none of {', '.join(wanted)} is there",
            hint="name a folder in Hugging Face layout, without the file's name",
        )
    if INDEX in found and WEIGHTS not in found:
        for name in shard_names(beside / INDEX):
            _copied(uri, name, beside)
    beside.replace(into)
    return into


def _copied(uri: str, name: str, into: Path) -> bool:
    """Whether the file is there; then it is copied."""
    try:
        with remote.open_file(f"{uri}/{name}") as source, (into / name).open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 22)
    except DataError as error:
        if isinstance(error.__context__, FileNotFoundError):
            return False
        raise ConfigError(f"spec.model: {error.message}", hint=error.hint) from None
    return True
