"""From an artefact's folder to a model that is proven and warm."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from graft_api.errors import ConfigError, StoreError
from graft_worker.apps import registry
from graft_worker.apps.app import App
from graft_worker.distributed import limits as machine
from graft_worker.export import artefact as artefacts
from graft_worker.export.artefact import Artefact
from graft_worker.run import inference
from graft_worker.serve import probing, proving
from graft_worker.serve.engines import Engine, GraphEngine, TorchEngine
from graft_worker.serve.examples import Example, Reader
from graft_worker.serve.proving import Golden
from graft_worker.serve.settings import Settings

WARM = 32  # texts by which formats are compared
GRAPH = "model.onnx"  # in place of weights, where `graft export` made the artefact
FACTS = "export.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model that may answer."""

    name: str
    artefact: Artefact
    app: App
    reader: Reader
    engine: Engine
    vector_size: int
    budget: int  # slots of a batch
    seconds: float  # it took to load

    @property
    def version(self) -> str:
        """The first twelve digits of the artefact's digest."""
        return self.artefact.digest.removeprefix("sha256:")[:12]


def load(settings: Settings) -> Served:
    """The model of an artefact: every file verified, golden examples answered as published.

    Raises:
        StoreError: a file is damaged, or the model answers otherwise than it did.
        ConfigError: this version does not have its app, its parts do not fit together, or the
            format that was asked for is not to be had.
    """
    start = time.monotonic()
    torch.set_num_threads(_threads())
    artefact = artefacts.load(settings.artefact)
    proving.check_labels(artefact)
    spec = inference.spec_of(artefact)
    assert artefact.problem is not None
    app = registry.build(spec, problem=artefact.problem, labels=artefact.labels)
    reader = Reader(artefact, app)
    golden = proving.read_golden(artefact, reader)
    engine = _proven(artefact, golden, settings)
    budget = probing.budget(
        engine, _longest(golden.examples), settings.limits, clock=time.perf_counter
    )
    return Served(
        name=settings.name or artefact.app,
        artefact=artefact,
        app=app,
        reader=reader,
        engine=engine,
        vector_size=engine.compute(golden.examples[:1]).vectors.shape[1],
        budget=budget,
        seconds=time.monotonic() - start,
    )


def _proven(artefact: Artefact, golden: Golden, settings: Settings) -> Engine:
    graph = artefact.folder / GRAPH
    if graph.is_file():
        return _graph(graph, artefact, golden, settings)
    return _torch(artefact, golden, settings)


def _graph(file: Path, artefact: Artefact, golden: Golden, settings: Settings) -> Engine:
    """The graph's engine; its number format was chosen when it was made."""
    dtype = _precision(artefact.folder / FACTS)
    if settings.precision not in ("auto", dtype):
        raise ConfigError(
            f"--precision {settings.precision}: {artefact.folder} was exported in {dtype}",
            hint="leave it out, or serve the artefact that it was exported from",
        )
    try:
        engine = GraphEngine(file, dtype=dtype, threads=_threads())
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{file}: needs {error.name}, which is not installed",
            hint="pip install 'graft-operator[onnx]'",
        ) from None
    proving.prove(engine, golden, artefact)
    return engine


def _precision(facts: Path) -> str:
    try:
        return str(json.loads(facts.read_text(encoding="utf-8"))["precision"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{facts}: does not tell the graph's precision: {error}",
            hint="export the artefact again",
        ) from None


def _torch(artefact: Artefact, golden: Golden, settings: Settings) -> Engine:
    """The engine in the format asked for; fp32 is proven in any case, for it tells the model."""
    model = inference.open_model(artefact.folder)
    plain = TorchEngine(model)
    proving.prove(plain, golden, artefact)
    if settings.precision == "fp32":
        return plain
    engines: dict[str, Engine] = {"fp32": plain, "bf16": TorchEngine(model, dtype="bf16")}
    several = (golden.examples * WARM)[:WARM]
    if settings.precision == "auto":
        return engines[probing.fastest(engines, several, clock=time.perf_counter)]
    exact, rounded = (each.compute(several).logits for each in engines.values())
    if not probing.alike(exact, rounded):
        raise ConfigError(
            f"--precision bf16: {artefact.folder} answers its golden examples otherwise",
            hint="use --precision auto or fp32",
        )
    return engines["bf16"]


def _longest(examples: Sequence[Example]) -> Example:
    return max(examples, key=len)


def _threads() -> int:
    """Cores of the control group, at most those that it may use; OMP_NUM_THREADS goes before."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told) > 0:
        return int(told)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, math.floor(min(machine.cores() or math.inf, usable or 1)))
