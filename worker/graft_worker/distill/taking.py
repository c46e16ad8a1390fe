"""A student made of the teacher's own layers; needs no torch.

Embeddings, pooler and head are the teacher's; layer i of S is the teacher's ceil(i * T / S) of T,
counted from 1, so that the last is always taken (the even choice of Sanh et al. 2019,
arXiv 1910.01108, section 3). An ALBERT has one layer, or one group, for all steps: the student has
the same and fewer steps.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file, save_file

from graft_api.errors import ConfigError
from graft_worker.models.folders import CONFIG, WEIGHTS, read_config

_FIELD = "spec.student.from.teacher.layers"
_LAYERS = "num_hidden_layers"
_GROUPS = "num_hidden_groups"  # of ALBERT
_ELSE = "use student.from.config, zoo or uri"
_LAYER = re.compile(r"(.*\bencoder\.layer\.)(\d+)(\..*)")


def taken(teacher: Path, layers: int, *, into: Path) -> Path:
    """`into`, a model folder with so many of the teacher's layers; made before, it is kept.

    Raises:
        ConfigError: the teacher is of another family, or has fewer layers.
    """
    if into.is_dir():
        return into
    config = read_config(teacher)
    _check(config, layers, teacher)
    beside = into.with_name(f".{into.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    chosen = even(layers, of=int(config[_LAYERS]))
    save_file(_renamed(load_file(teacher / WEIGHTS), chosen), beside / WEIGHTS, {"format": "pt"})
    told = {**config, _LAYERS: layers}
    told.pop("graft", None)
    (beside / CONFIG).write_text(json.dumps(told, indent=1, sort_keys=True), encoding="utf-8")
    beside.replace(into)
    return into


def even(layers: int, *, of: int) -> tuple[int, ...]:
    """The numbers, from 0, of the layers that are taken.

    >>> even(4, of=12), even(3, of=4), even(2, of=2)
    ((2, 5, 8, 11), (1, 2, 3), (0, 1))
    """
    return tuple(-(-i * of // layers) - 1 for i in range(1, layers + 1))


def _renamed(weights: Mapping[str, Any], chosen: tuple[int, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, tensor in weights.items():
        match = _LAYER.fullmatch(name)
        if match is None:
            found[name] = tensor
        elif int(match[2]) in chosen:
            found[f"{match[1]}{chosen.index(int(match[2]))}{match[3]}"] = tensor
    return found


def _check(config: Mapping[str, Any], layers: int, teacher: Path) -> None:
    kind, there = config.get("model_type"), config.get(_LAYERS)
    if kind not in ("bert", "albert") or not isinstance(there, int):
        raise ConfigError(
            f"{_FIELD}: layers can be taken of a BERT or an ALBERT;"
            f" {teacher} is of the family {kind}",
            hint=_ELSE,
        )
    if (groups := config.get(_GROUPS, 1)) != 1:
        raise ConfigError(
            f"{_FIELD}: layers can be taken of an ALBERT with one group of shared layers;"
            f" {teacher} has {groups}",
            hint=_ELSE,
        )
    if layers > there:
        raise ConfigError(
            f"{_FIELD}: {layers}, but the teacher has {there}", hint=f"use 1 to {there}"
        )
