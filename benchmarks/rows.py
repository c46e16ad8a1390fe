"""Which rows there are, and how each is made ready."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import (
    c5_finetune,
    c9_tokenise_once,
    c13_checkpoint,
    c15_restart,
    k1_fleet,
    p1_teaching,
    race,
    workloads,
)
from benchmarks.c5_finetune import Course
from benchmarks.gpu import g0_ceilings, g7_attention, g8_head
from benchmarks.settings import Settings
from benchmarks.workloads import OCNLI, SST2, Source, Workload

Row = Callable[[str, Settings, Path], Mapping[str, Any]]


def _on(source: Source, run: Callable[[str, Course, Settings], Mapping[str, Any]]) -> Row:
    """A row on a data set, which is made ready first."""
    return lambda name, settings, folder: run(name, prepare(source, settings, folder), settings)


ROWS: Mapping[str, Row] = {
    "C5": _on(SST2, c5_finetune.run),
    "C5-zh": _on(OCNLI, c5_finetune.run),
    "C9": _on(SST2, c9_tokenise_once.run),
    "C13": c13_checkpoint.run,
    "C15": c15_restart.run,
    "G0": g0_ceilings.run,
    "G7": g7_attention.run,
    "G8": g8_head.run,
    "G13": c13_checkpoint.run_on_gpu,
    "K1": k1_fleet.run,
    "K2": k1_fleet.run_many,
    "P1": p1_teaching.run,
}


def needs_gpu(name: str) -> bool:
    """Whether the row can be measured on a machine with a GPU alone."""
    return name.startswith("G")


def measure(name: str, settings: Settings, *, scratch: Path | None = None) -> Mapping[str, Any]:
    """The result of a row, by its name in ROWS.

    A scratch folder stays: jobs of P1 that are complete in it are not run again.
    """
    with tempfile.TemporaryDirectory(prefix="graft-benchmark-") as folder:
        return ROWS[name](name, settings, scratch / name if scratch else Path(folder))


def prepare(source: Source, settings: Settings, folder: Path) -> Course:
    """The course of a data set, or the tiny one in quick mode."""
    if settings.quick:
        workload, vocabulary = workloads.tiny(folder), str(folder / "vocab.txt")
    else:
        workload = workloads.real(source, settings.data, folder)
        vocabulary = str(settings.data / source.vocabulary) if source.vocabulary else ""
    return _course(workload, vocabulary, cores=settings.cores)


def _course(workload: Workload, vocabulary: str, *, cores: int) -> Course:
    options = {"workload": workload.options(), "vocabulary": vocabulary}
    with race.Stable(Path(workload.folder)) as stable:
        runner = stable.runner("prepare", threads=cores)
        facts = runner.through("benchmarks.workloads:make_start", options)
        dtype = runner.through("benchmarks.ceiling:probe_precision", {})["dtype"]
    return Course(workload=workload, dtype=dtype, **facts)
