"""Metrics of a published model on a file with labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from graft_api.errors import DataError
from graft_worker.apps import registry
from graft_worker.data import reading, targets
from graft_worker.data.faults import DataFaults
from graft_worker.data.rows import Row
from graft_worker.data.selections import Selection
from graft_worker.data.targets import Survey, TargetWish
from graft_worker.run import inference
from graft_worker.run.inference import Model
from graft_worker.run.predict import PLAIN, Reading, selection

_CHUNK = 2048  # rows in memory at once


def evaluate(artefact: Path, inputs: str, *, read: Reading = PLAIN) -> dict[str, float]:
    """The metrics that the artefact's problem has, by name, over every row of the input.

    Raises:
        StoreError: the artefact is damaged.
        ConfigError: this version does not have the artefact's app.
        DataError: the input cannot be read, lacks a column, or has labels that the model does not
            know; each with its first places.
    """
    return measure(inference.open_model(artefact), inputs, read=read)


def measure(model: Model, inputs: str, *, read: Reading = PLAIN) -> dict[str, float]:
    """The same of a model that is open. Raises as `evaluate` does for the input."""
    chosen = selection(model.artefact, inputs, read, model.app.roles())
    _refuse_unknown(model, chosen)
    parts = [_measured(model, chunk) for chunk in _chunks(_rows(model, chosen))]
    logits, wanted = (torch.cat(each) for each in zip(*parts, strict=True))
    return dict(model.app.metrics(logits, wanted))


def _rows(model: Model, chosen: Selection) -> Iterator[Row]:
    return (row for row, _ in reading.by_role(chosen, model.app.roles()))


def _refuse_unknown(model: Model, chosen: Selection) -> None:
    app, survey, wish = model.app, Survey(), _wish(model)
    for row in _rows(model, chosen):
        survey.add(row.values["label"], file=row.file, line=row.line, wish=wish)
    if not survey.rows:
        raise DataError(f"{chosen.uris[0]}: no rows", hint="give a file with at least one")
    column = dict(chosen.columns).get("label", "label")
    lines = targets.judge(survey, app.problem, app.labels, column=column).lines(chosen.uris[0])
    if lines:
        raise DataFaults(lines)


def _chunks(rows: Iterator[Row]) -> Iterator[Sequence[Row]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _measured(model: Model, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """Logits [N, C] and targets [N] or [N, C] of a chunk."""
    block = model.encode([_valued(model, row) for row in rows])
    logits = inference.logits_of(model.module, block, device=model.device)
    return logits, torch.from_numpy(block.per_example["target"])


def _valued(model: Model, row: Row) -> Row:
    wish, cell = _wish(model), row.values["label"]
    value = targets.value_of(cell, model.app.problem, separator=wish.separator)
    return Row({**row.values, "label": value}, row.file, row.line)


def _wish(model: Model) -> TargetWish:
    asked = registry.wish(inference.spec_of(model.artefact))
    return replace(asked, problem=model.app.problem, labels=model.app.labels)
