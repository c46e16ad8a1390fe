"""The model that is served, made as its user would: trained, published and exported by Graft."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.race import QUIET, RaceError
from benchmarks.settings import Settings
from benchmarks.workloads import Workload

MOST_LABELLED = 2000  # rows by which int8 is judged
STEPS = 100  # a model that knows the task well enough for int8 to be judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An artefact, and the graph that was exported from it."""

    workload: Workload
    dtype: str  # the faster one here, for peers that may choose
    artefact: Path
    graph: Path
    facts: Mapping[str, Any]  # export.json of the graph: what its precision costs

    @property
    def precision(self) -> str:
        """The graph's number format."""
        return str(self.facts["precision"])


def make(workload: Workload, settings: Settings, *, dtype: str) -> Made:
    """A classifier of the workload. The graph is in int8; in a quick run in fp32, for a model of
    seconds may lose more than an export allows.
    """
    folder = Path(workload.folder)
    job, labelled, graph = folder / "job.yaml", folder / "labelled.jsonl", folder / "graph"
    job.write_text(json.dumps(_job(workload)))
    labelled.write_text("".join(_unseen(workload)))
    status = json.loads(_graft("run", str(job), "-o", "json", "--store", str(folder / "store")))
    artefact = Path(status["artefact"]["uri"])
    asked = ("--input", str(labelled), "--precision", "fp32" if settings.quick else "int8")
    _graft("export", str(artefact), *asked, "--output", str(graph))
    return Made(
        workload=workload,
        dtype=dtype,
        artefact=artefact,
        graph=graph,
        facts=json.loads((graph / "export.json").read_text()),
    )


def _unseen(workload: Workload) -> list[str]:
    """Labelled rows that were not trained on: all of dev, and the rest of train."""
    rest = workload.file("train").read_text().splitlines(keepends=True)[workload.racing :]
    return [*workload.file("dev").read_text().splitlines(keepends=True), *rest][:MOST_LABELLED]


def _job(workload: Workload) -> Mapping[str, Any]:
    roles = {name: name for name in (*workload.texts, "label")}
    recipe = workload.recipe
    return {
        "apiVersion": "graft.dev/v1alpha1",
        "kind": "TransferJob",
        "metadata": {"name": "served"},
        "spec": {
            "app": {"name": workload.app, "labels": list(workload.labels)},
            "model": {"from": {"uri": str(workload.start)}},
            "data": {
                "train": {"uri": str(workload.file("race")), "columns": roles},
                "validation": {"uri": str(workload.file("dev")), "columns": roles},
                "maxLength": recipe.max_length,
            },
            "training": {
                "duration": {"steps": STEPS},
                "globalBatch": recipe.global_batch,
                "optimizer": {"learningRate": recipe.learning_rate},
            },
        },
    }


def _graft(*arguments: str) -> str:
    command = [sys.executable, "-m", "graft_cli", *arguments]
    done = subprocess.run(
        command, env={**os.environ, **QUIET}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RaceError(f"graft {arguments[0]} failed:\n{done.stderr[-2000:]}")
    return done.stdout
