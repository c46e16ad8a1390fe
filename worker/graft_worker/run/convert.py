"""From an artefact to an ONNX artefact: as exact as it must be, or none at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch

from graft_api.errors import ConfigError, StoreError
from graft_worker.data import batches
from graft_worker.data.batch import Batch
from graft_worker.data.rows import Row
from graft_worker.data.shards import Shards
from graft_worker.export import manifest
from graft_worker.models import graphs
from graft_worker.models.graphs import Graph
from graft_worker.models.heads import SequenceClassifier
from graft_worker.run import evaluate, inference
from graft_worker.run.inference import Model
from graft_worker.run.predict import PLAIN, Reading

Precision = Literal["fp32", "int8"]

FACTS = "export.json"
EXACT = 1e-4  # logits of the fp32 graph differ by no more
DROP = 0.005  # int8 may cost half a point of the metric that chose the model, no more
LOOSE = 0.05  # what int8 differs by where another processor multiplies
LEFT_OUT = ("model.safetensors", manifest.NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What was made. `exact` and `found` are the metric in fp32 and of the graph, if measured."""

    folder: Path
    precision: Precision
    difference: float  # largest of a golden logit
    metric: str = ""
    exact: float | None = None
    found: float | None = None


def convert(
    folder: Path, output: Path, *, precision: Precision, inputs: str = "", read: Reading = PLAIN
) -> Converted:
    """An artefact with a graph in place of the weights, in the new folder `output`.

    fp32 has to give the same logits. int8 has to be measured: `inputs` are rows with labels.

    Raises:
        ConfigError: there is such a folder; the network is of no family that has graphs; int8
            without rows; the graph is not exact enough, with the numbers.
        StoreError: the artefact is damaged, or the folder cannot be written.
        DataError: the rows cannot be read.
    """
    _check(output, precision, inputs)
    model = replace(inference.open_model(folder), device=torch.device("cpu"))
    if isinstance(model.module, Graph):
        raise ConfigError(
            f"{folder}: was exported already", hint="export the artefact that it was made from"
        )
    model.module.cpu()
    golden = _golden(model)
    plain = graphs.traced(cast("SequenceClassifier", model.module), _batch(model, golden))
    made = plain if precision == "fp32" else graphs.quantised(plain)
    graph = Graph(made, threads=torch.get_num_threads())
    facts = _judged(model, replace(model, module=graph), golden, precision, (inputs, read))
    _write(model, made, graph, golden, replace(facts, folder=output))
    return replace(facts, folder=output)


def _check(output: Path, precision: Precision, inputs: str) -> None:
    if output.exists():
        raise ConfigError(f"--output {output}: is there already", hint="name a new folder")
    if precision == "int8" and not inputs:
        raise ConfigError(
            "--precision int8: needs --input, rows with labels",
            hint="what it costs in the task's own metric is measured on them",
        )


def _judged(
    model: Model,
    converted: Model,
    golden: list[Row],
    precision: Precision,
    rows: tuple[str, Reading],
) -> Converted:
    block = model.encode(golden)
    exact, found = (
        inference.logits_of(each.module, block, device=model.device) for each in (model, converted)
    )
    facts = Converted(
        folder=model.artefact.folder,
        precision=precision,
        difference=float((exact - found).abs().max()),
    )
    if precision == "fp32" and not facts.difference <= EXACT:
        raise ConfigError(
            f"{model.artefact.folder}: logits of the graph differ by {facts.difference:.2g}, "
            f"at most {EXACT:g} may be",
            hint="serve the artefact as it is: graft serve ARTEFACT",
        )
    return _measured(model, converted, facts, rows) if rows[0] else facts


def _measured(
    model: Model, converted: Model, facts: Converted, rows: tuple[str, Reading]
) -> Converted:
    name, mode = model.app.score.metric, model.app.score.mode
    exact, found = (
        evaluate.measure(each, rows[0], read=rows[1])[name] for each in (model, converted)
    )
    worse = exact - found if mode == "max" else (found - exact) / max(abs(exact), 1e-12)
    if not worse <= DROP:
        raise ConfigError(
            f"{model.artefact.folder}: {name} is {found:.4f} in {facts.precision}, "
            f"{exact:.4f} in fp32: {DROP:g} less at most may be",
            hint="serve it in fp32 or bf16, or train it longer",
        )
    return replace(facts, metric=name, exact=exact, found=found)


def _golden(model: Model) -> list[Row]:
    """The golden examples. The server compares with them, so there have to be some."""
    path = model.artefact.folder / "golden.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if not lines:
        raise StoreError(f"{path}: no golden examples in it", hint="run the artefact's job again")
    return [Row(line["inputs"], str(path), number) for number, line in enumerate(lines, 1)]


def _batch(model: Model, rows: list[Row]) -> Batch:
    """Several texts of several lengths: in a trace of one, sizes would become constants."""
    texts = [role.name for role in model.app.roles() if role.kind == "text" and role.required]
    more = Row(dict.fromkeys(texts, "one more text"), "trace", 0)
    shards = Shards.in_memory(model.encode([*rows, more]))
    return batches.collate(shards, np.arange(len(rows) + 1), keys=None, width=0, packing=False)


def _write(model: Model, made: bytes, graph: Graph, golden: list[Row], facts: Converted) -> None:
    output = facts.folder
    partial = output.with_name(f".{output.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(model.artefact.folder, partial, ignore=shutil.ignore_patterns(*LEFT_OUT))
        (partial / graphs.FILE).write_bytes(made)
        (partial / FACTS).write_text(json.dumps(_told(model, facts), indent=1) + "\n")
        if facts.precision == "int8":
            (partial / "golden.jsonl").write_text(_golden_text(model, graph, golden))
        (partial / manifest.NAME).write_text(manifest.describe(partial).text())
        partial.rename(output)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StoreError(f"{output}: cannot be written: {error.strerror}") from None


def _told(model: Model, facts: Converted) -> Mapping[str, Any]:
    return {
        "of": model.artefact.digest,
        "engine": "onnxruntime",
        "precision": facts.precision,
        "difference": facts.difference,
        "metric": facts.metric or None,
        "fp32": facts.exact,
        "found": facts.found,
    }


def _golden_text(model: Model, graph: Graph, rows: list[Row]) -> str:
    """What the graph itself answers: its rounding is no fault, another answer would be one.

    To each by itself, for who comes along changes the rounding.
    """
    told = replace(model, module=graph, device=torch.device("cpu"))
    lines = [
        {
            "inputs": dict(row.values),
            "logits": inference.logits(told, [row])[0].tolist(),
            "tolerance": LOOSE,
        }
        for row in rows
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
