"""What a model folder holds: its config and its weight files, found and checked without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError

if TYPE_CHECKING:
    from graft_worker.data.prepared import Problem

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PROBLEM_TYPES: Mapping[Problem, str] = {  # what config.json calls what a head answers
    "single_label": "single_label_classification",
    "multi_label": "multi_label_classification",
    "regression": "regression",
}
# Pickles run code of their author's while they load, so they are never opened.
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "model.ckpt.index")


def read_config(folder: Path) -> dict[str, Any]:
    """The config.json of a model folder.

    Raises:
        ConfigError: there is none, or it is no JSON object.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise ConfigError(
            f"{folder}: no {CONFIG} in it",
            hint="a model folder holds config.json, model.safetensors and tokenizer.json",
        )
    return _object(path)


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model folder: one, or the shards that the index names.

    Raises:
        ConfigError: there are none, some shards are missing, or the folder has only pickles.
    """
    if (folder / WEIGHTS).is_file():
        return (folder / WEIGHTS,)
    if (folder / INDEX).is_file():
        return _shards(folder)
    if found := next((name for name in PICKLES if (folder / name).is_file()), None):
        raise ConfigError(
            f"{folder}: weights are in {found}, and only safetensors are read",
            hint='convert with `python -c "from transformers import AutoModel as M; '
            f"M.from_pretrained('{folder}').save_pretrained('{folder}')\"` "
            "on a machine where you trust the file",
        )
    raise ConfigError(
        f"{folder}: no {WEIGHTS} in it",
        hint="put the weights there, or use spec.model.from.config for random ones",
    )


def shard_names(index: Path) -> tuple[str, ...]:
    """The files that an index of sharded weights names, in order.

    Raises:
        ConfigError: it names none, or one outside its folder.
    """
    names = _object(index).get("weight_map")
    if not isinstance(names, Mapping) or not names:
        raise ConfigError(f"{index}: no weight_map in it: download the file again")
    files = sorted({str(name) for name in names.values()})
    if outside := next((name for name in files if Path(name).name != name), None):
        raise ConfigError(f"{index}: names {outside}, which is not a file of this folder")
    return tuple(files)


def _shards(folder: Path) -> tuple[Path, ...]:
    files = tuple(folder / name for name in shard_names(folder / INDEX))
    if missing := next((file for file in files if not file.is_file()), None):
        raise ConfigError(
            f"{folder / INDEX}: names {missing.name}, which is not in the folder",
            hint="copy or download every shard that the index names",
        )
    return files


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: expected an object, found {type(value).__name__}")
    return value
