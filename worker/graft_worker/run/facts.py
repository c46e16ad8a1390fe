"""What an artefact tells of the data and the results, whatever the kind of job."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graft_worker.data.selections import selections
from graft_worker.data.shards import Shards
from graft_worker.export.contents import DataFacts, Result
from graft_worker.export.profile import histogram
from graft_worker.models import tokenization
from graft_worker.models.special import special

if TYPE_CHECKING:
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.train.result import TrainingResult

PACKAGES = ("graft-operator", "torch", "tokenizers", "safetensors", "numpy")


def of_split(settings: Settings, prepared: Prepared, name: str) -> DataFacts:
    """One split of the job's data."""
    split = prepared.splits[name]
    source = ", ".join(selections(settings.job.spec.data, seed=0)[name].uris)
    counts: Mapping[str, int] = {}
    targets = Shards.open(settings.store / split.shards).per_example.get("target")
    if prepared.labels and targets is not None:
        counts = histogram(targets, prepared.labels)
    return DataFacts(
        split=name, source=source, sha256=split.sha256, rows=split.rows, histogram=counts
    )


def results(prepared: Prepared, result: TrainingResult) -> tuple[Result, ...]:
    """The metrics of the splits that training did not see."""
    measured = {"validation": result.metrics, "test": result.test_metrics}
    return tuple(
        Result(split=name, rows=prepared.splits[name].rows, metrics=metrics)
        for name, metrics in measured.items()
        if name in prepared.splits and metrics
    )


def unknown(train: Shards, folder: Path) -> float:
    """The share of tokens that the vocabulary lacks; 0 where it has a piece for every byte."""
    lacking = special(tokenization.load(folder)).unk
    return float((np.asarray(train.tokens) == lacking).mean())


def versions() -> dict[str, str]:
    """What the model was made with."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found}
