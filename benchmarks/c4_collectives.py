"""C4: the exchanges of one training step under FSDP, against the library sharded layer by layer.

A count, not a time: no machine's load changes it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import figures, verdict
from benchmarks.collectives import STEPS, TOLD
from benchmarks.figures import Figures
from benchmarks.race import QUIET, ROOT
from benchmarks.settings import Settings

PROCESSES = 2
LAYERS, FEW = 12, 4
SIZES = {"hidden": 384, "heads": 12, "vocabulary": 30_000}
TINY = {"hidden": 16, "heads": 2, "vocabulary": 50}
COUNTS = {
    "gathers": "all-gathers",
    "gatheredMegabytes": "MB gathered",
    "scatters": "reduce-scatters",
    "sums": "all-reduces",
}
NOTES = (
    "One training step of {processes} processes, {layers} layers of {hidden} in fp32, counted by"
    " torch's profiler; it is the last of {steps} equal ones.",
    "*default* is the library's model with `fully_shard` on every layer and on the root, *tuned*"
    " the same with `reshard_after_forward=False`; *ours* is FSDP as the worker does it.",
    "pai-albert goes through two different layers in each of its {layers} steps.",
)


class CountError(Exception):
    """The gang that is counted did not come to its end; the message ends with its last words."""


def run(row: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The result of the row."""
    layers, sizes = (FEW, TINY) if settings.quick else (LAYERS, SIZES)
    told = _counted({"layers": layers, **sizes}, folder)
    losses = {
        network: {way: of_one["losses"] for way, of_one in ways.items()}
        for network, ways in told.items()
    }
    hidden = sizes["hidden"]
    numbers = {"processes": PROCESSES, "layers": layers, "hidden": hidden, "steps": STEPS}
    found = Figures(
        unit="exchanges of a step",
        cases=_cases(told),
        notes=[note.format(**numbers) for note in NOTES],
        faults=[
            f"{network}: {fault}"
            for network, of_one in losses.items()
            for fault in verdict.loss_faults(of_one)
        ],
    )
    title = "exchanges of a sharded step"
    return dict(figures.row(row, title, found, settings)) | {"losses": losses}


def _cases(told: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        f"{network}, {shown}": {way: of_one["counted"][key] for way, of_one in ways.items()}
        for network, ways in told.items()
        for key, shown in COUNTS.items()
    }


def _counted(sizes: Mapping[str, int], folder: Path) -> dict[str, dict[str, Any]]:
    """What one gang has counted of every network and every way to share it."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={PROCESSES}")
    asked = (json.dumps(dict(sizes)), str(folder))
    done = subprocess.run(
        [sys.executable, *torchrun, "-m", "benchmarks.collectives", *asked],
        cwd=ROOT,
        env={**os.environ, **QUIET, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CountError(f"exit code {done.returncode}\n{done.stderr[-6000:]}")
    told: dict[str, dict[str, Any]] = json.loads((folder / TOLD).read_text())
    return told
