"""A model of others that knows a task: what it answers and what its labels are; needs no torch.

It is what `transformers` saves of a BertForSequenceClassification or an
AlbertForSequenceClassification: the head is `classifier.weight` [C, H] among its weights, and
`id2label` in config.json says what the C outputs are called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from graft_api.app import canonical
from graft_api.errors import ConfigError
from graft_worker.export.artefact import Artefact
from graft_worker.models import origin
from graft_worker.models.folders import CONFIG, PROBLEM_TYPES, WEIGHTS, read_config

if TYPE_CHECKING:
    from graft_api.distilljob import DistillJobSpec
    from graft_worker.data.prepared import Problem

FIRST = "train it by a TransferJob, then: teacher: {from: {job: {kind: TransferJob, name: NAME}}}"
_HEAD = {"classifier.weight", "classifier.bias"}
_FAMILIES = ("bert", "albert")  # others have heads of other forms
_READER = "ForSequenceClassification"
_NAMELESS = re.compile(r"LABEL_\d+")  # what the library calls an output that nobody has named


def read(folder: Path, spec: DistillJobSpec, *, field: str) -> Artefact:
    """The model as if it were an artefact of the job's app: its head does not say which it is of.

    Raises:
        ConfigError: it has no head that can be read, or it does not fit the job.
    """
    config, app = read_config(folder), canonical(spec.app)
    outputs = _outputs(folder, config, field)
    problem = _problem(folder, config, outputs, field)
    _check_positions(config, spec.data.max_length)
    return Artefact(
        folder=folder,
        digest=origin.digest((folder / CONFIG, folder / WEIGHTS)),
        app=app.name or "",
        variant=app.variant or "",
        params=app.params,
        problem=problem,
        labels=() if problem == "regression" else _labels(folder, config, outputs, app.labels),
        columns={},
        max_length=spec.data.max_length,
    )


def _outputs(folder: Path, config: Mapping[str, Any], field: str) -> int:
    """How many outputs the head has."""
    if not (folder / WEIGHTS).is_file():
        raise ConfigError(
            f"{field}: {folder}: no {WEIGHTS} in it",
            hint="the weights of a teacher stand in one file of that name",
        )
    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as opened:
            names = set(opened.keys())
            shape = opened.get_slice("classifier.weight").get_shape() if names >= _HEAD else []
    except SafetensorError as error:
        raise ConfigError(
            f"{folder / WEIGHTS}: damaged: {error}", hint="copy or download the file again"
        ) from None
    family = str(config.get("model_type", "bert"))
    reader = str((config.get("architectures") or [_READER])[0])
    pooled = any("pooler." in name for name in names)
    if family not in _FAMILIES or not reader.endswith(_READER) or not pooled or not shape:
        raise ConfigError(
            f"{field}: {folder} has no head of a classifier, as BERT and ALBERT have it:"
            f" this {family} knows no task yet",
            hint=FIRST,
        )
    return int(shape[0])


def _problem(folder: Path, config: Mapping[str, Any], outputs: int, field: str) -> Problem:
    told = config.get("problem_type")
    if told is None:  # as the library takes it
        return "regression" if outputs == 1 else "single_label"
    found = next((ours for ours, theirs in PROBLEM_TYPES.items() if theirs == told), None)
    if found is None or (found == "regression") != (outputs == 1):
        raise ConfigError(
            f"{field}: {folder / CONFIG}: problem_type is {told!r}, and the head has"
            f" {outputs} outputs",
            hint=f"{PROBLEM_TYPES['regression']} has one output, the others have more:"
            f" {', '.join(PROBLEM_TYPES.values())}",
        )
    return found


def _labels(
    folder: Path, config: Mapping[str, Any], outputs: int, asked: tuple[str, ...]
) -> tuple[str, ...]:
    """The names in the order of the outputs; the job may name what has no name yet."""
    told = config.get("id2label")
    named = told if isinstance(told, Mapping) else {}
    found = tuple(str(named.get(str(i), f"LABEL_{i}")) for i in range(outputs))
    if not all(_NAMELESS.fullmatch(name) for name in found):
        return found
    if len(set(asked)) != outputs:
        raise ConfigError(
            f"spec.app.labels: {', '.join(asked) or 'none'}, but the teacher has {outputs} outputs"
            f" without names: {folder / CONFIG} calls them {', '.join(found)}",
            hint="name all of them, in this order, as the data do",
        )
    return asked


def _check_positions(config: Mapping[str, Any], longest: int) -> None:
    limit = config.get("max_position_embeddings", 512)
    if longest > limit:
        raise ConfigError(
            f"spec.data.maxLength: {longest}, but the teacher has {limit} positions",
            hint=f"use at most {limit}, or another teacher",
        )
