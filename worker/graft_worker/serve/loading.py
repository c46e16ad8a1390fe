"""From an artefact's folder to a model that is proven and warm."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from graft_api.errors import ConfigError
from graft_worker.apps.app import App
from graft_worker.distributed import limits as machine
from graft_worker.export.artefact import Artefact
from graft_worker.run import inference
from graft_worker.serve import probing, proving
from graft_worker.serve.engines import Engine, TorchEngine
from graft_worker.serve.examples import Example, Reader
from graft_worker.serve.proving import Golden
from graft_worker.serve.settings import Settings

WARM = 32  # texts by which formats are compared


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
        ConfigError: this version does not have its app, its parts do not fit together, or bf16
            was asked for and is not exact enough.
    """
    start = time.monotonic()
    torch.set_num_threads(_threads())
    model = inference.open_model(settings.artefact)
    proving.check_labels(model.artefact)
    reader = Reader(model)
    golden = proving.read_golden(model.artefact, reader)
    engine = _proven(model, golden, settings)
    budget = probing.budget(
        engine, _longest(golden.examples), settings.limits, clock=time.perf_counter
    )
    return Served(
        name=settings.name or model.artefact.app,
        artefact=model.artefact,
        app=model.app,
        reader=reader,
        engine=engine,
        vector_size=engine.compute(golden.examples[:1]).vectors.shape[1],
        budget=budget,
        seconds=time.monotonic() - start,
    )


def _proven(model: inference.Model, golden: Golden, settings: Settings) -> Engine:
    """The engine in the format asked for; fp32 is proven in any case, for it tells the model."""
    plain = TorchEngine(model)
    proving.prove(plain, golden, model.artefact)
    if settings.precision == "fp32":
        return plain
    engines: dict[str, Engine] = {"fp32": plain, "bf16": TorchEngine(model, dtype="bf16")}
    several = (golden.examples * WARM)[:WARM]
    if settings.precision == "auto":
        return engines[probing.fastest(engines, several, clock=time.perf_counter)]
    exact, rounded = (each.compute(several).logits for each in engines.values())
    if not probing.alike(exact, rounded):
        raise ConfigError(
            f"--precision bf16: {model.artefact.folder} answers its golden examples otherwise",
            hint="use --precision auto or fp32",
        )
    return engines["bf16"]


def _longest(examples: Sequence[Example]) -> Example:
    return max(examples, key=len)


def _threads() -> int:
    """Cores of the control group, else of the machine; OMP_NUM_THREADS goes before."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told) > 0:
        return int(told)
    granted = machine.cores() or os.cpu_count() or 1
    return max(1, math.floor(granted))
