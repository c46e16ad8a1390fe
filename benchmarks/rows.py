"""Which rows there are, and how each is made ready."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

from benchmarks import (
    c1_mlm,
    c4_collectives,
    c5_finetune,
    c8_masking,
    c9_tokenise_once,
    c10_infer_offline,
    c11_overload,
    c11_serve,
    c12_http_overhead,
    c13_checkpoint,
    c14_goodput,
    c15_restart,
    c16_packing,
    corpus,
    d1_distil,
    k1_fleet,
    m1_memory,
    p1_teaching,
    race,
    s1_sizes,
    workloads,
)
from benchmarks.c1_mlm import Text
from benchmarks.c5_finetune import Course
from benchmarks.corpus import CorpusSource
from benchmarks.gpu import g0_ceilings, g7_attention, g8_head
from benchmarks.serving import model
from benchmarks.serving.model import Made
from benchmarks.settings import Settings
from benchmarks.workloads import OCNLI, SST2, Source, Workload

Row = Callable[[str, Settings, Path], Mapping[str, Any]]


def _on(source: Source, run: Callable[[str, Course, Settings], Mapping[str, Any]]) -> Row:
    """A row on a data set, which is made ready first."""
    return lambda name, settings, folder: run(name, prepare(source, settings, folder), settings)


def _of(source: CorpusSource, run: Callable[[str, Text, Settings], Mapping[str, Any]]) -> Row:
    """A row on a corpus, which is made ready first."""
    return lambda name, settings, folder: run(
        name, c1_mlm.prepare(source, settings, folder), settings
    )


def _served(run: Callable[[str, Made, Settings], Mapping[str, Any]]) -> Row:
    """A row on the published model, which all such rows of a run share."""
    return lambda name, settings, _folder: run(name, published(settings), settings)


def _beside(row: Row, *libraries: str) -> Row:
    """A row whose peers need libraries."""

    def needing(name: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
        if lacking := [library for library in libraries if util.find_spec(library) is None]:
            raise SystemExit(
                f"{name} needs {', '.join(lacking)}: pip install -e '.[bench]' -c constraints.txt"
            )
        return row(name, settings, folder)

    return needing


ROWS: Mapping[str, Row] = {
    "C1": _of(corpus.MINI, c1_mlm.run),
    "C1-dropout": _of(corpus.MINI_DROPOUT, c1_mlm.run),
    "C2": _of(corpus.BASE, c1_mlm.run),
    "C3": _of(corpus.ALBERT, c1_mlm.run),
    "C4": c4_collectives.run,
    "C5": _on(SST2, c5_finetune.run),
    "C5-zh": _on(OCNLI, c5_finetune.run),
    "C8": _of(corpus.MINI, c8_masking.run),
    "C8-words": _of(corpus.WORDS, c8_masking.run),
    "C9": _on(SST2, c9_tokenise_once.run),
    "C10": _beside(_served(c10_infer_offline.run), "sentence_transformers"),
    "C11": _beside(_served(c11_serve.run), "fastapi", "uvicorn", "sentence_transformers"),
    "C11-overload": _served(c11_overload.run),
    "C12": _beside(_served(c12_http_overhead.run), "fastapi", "uvicorn"),
    "C13": c13_checkpoint.run,
    "C14": _on(SST2, c14_goodput.run),
    "C15": c15_restart.run,
    "C16": _of(corpus.MINI, c16_packing.run),
    "D1": d1_distil.run,
    "G0": g0_ceilings.run,
    "G1": _of(corpus.BASE_512, c1_mlm.run),
    "G2": _of(corpus.BASE_128, c1_mlm.run),
    "G3": _of(corpus.LARGE_512, c1_mlm.run),
    "G7": g7_attention.run,
    "G8": g8_head.run,
    "G13": c13_checkpoint.run_on_gpu,
    "K1": k1_fleet.run,
    "K2": k1_fleet.run_many,
    "M1": m1_memory.run,
    "P1": p1_teaching.run,
    "S1": s1_sizes.run,
}


def needs_gpu(name: str) -> bool:
    """Whether the row can be measured on a machine with a GPU alone."""
    return name.startswith("G")


def measure(name: str, settings: Settings, *, scratch: Path | None = None) -> Mapping[str, Any]:
    """The result of a row, by its name in ROWS.

    A scratch folder stays: jobs of P1 that are complete in it are not run again.
    """
    with tempfile.TemporaryDirectory(prefix="graft-benchmark-") as own:
        folder = scratch / name if scratch else Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        return ROWS[name](name, settings, folder)


def prepare(source: Source, settings: Settings, folder: Path) -> Course:
    """The course of a data set, or the tiny one in quick mode."""
    if settings.quick:
        workload, vocabulary = workloads.tiny(folder), str(folder / "vocab.txt")
    else:
        workload = workloads.real(source, settings.data, folder)
        vocabulary = str(settings.data / source.vocabulary) if source.vocabulary else ""
    return _course(workload, vocabulary, cores=settings.cores)


@cache
def published(settings: Settings) -> Made:
    """The model that is served, trained once for all rows of a run."""
    folder = Path(tempfile.mkdtemp(prefix="graft-benchmark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    course = prepare(SST2, settings, folder)
    return model.make(course.workload, settings, dtype=course.dtype)


def _course(workload: Workload, vocabulary: str, *, cores: int) -> Course:
    options = {"workload": workload.options(), "vocabulary": vocabulary}
    with race.Stable(Path(workload.folder)) as stable:
        runner = stable.runner("prepare", threads=cores)
        facts = runner.through("benchmarks.workloads:make_start", options)
        dtype = runner.through("benchmarks.ceiling:probe_precision", {})["dtype"]
    return Course(workload=workload, dtype=dtype, **facts)
