"""Compiled code is kept for the next attempt, and what cannot be compiled runs eagerly."""

from __future__ import annotations

import _ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch._inductor.runtime.cache_dir_utils import default_cache_dir

from graft_worker.distributed.process import Process
from graft_worker.train import compiled_code
from graft_worker.train.compiled_code import INDUCTOR, TRITON
from tests.lacking import lacking
from tests.worker.train import tiny
from tests.worker.train.compiled_run import TRAINING, task

CPU = torch.device("cpu")
# What takes most of the time: trying all sets of instructions, other processes, headers.
QUICK = {
    "OMP_NUM_THREADS": "1",
    "TORCHINDUCTOR_VEC_ISA_OK": "1",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
}
HEADERS = "TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS"
OWN = f"torch-{torch.__version__}-NVIDIA-H100"


def run(folder: Path, disk: Path, **more: str) -> dict[str, Any]:
    """What a process said that keeps its code in the folder and has a disk of its own, as pods."""
    disk.mkdir()
    words = [sys.executable, "-m", "tests.worker.train.compiled_run", str(folder)]
    chosen = QUICK | {"TMPDIR": str(disk)} | more
    environ = {name: text for name, text in os.environ.items() if name not in (INDUCTOR, TRITON)}
    done = subprocess.run(words, env=environ | chosen, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def code(folder: Path) -> dict[str, int]:
    """Libraries in the folder and when each was written."""
    return {p.name: p.stat().st_mtime_ns for p in (folder / "compiled").rglob("*.so")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("g++"):
        lacking("no g++ on this machine, without which nothing can be compiled")
    return tmp_path_factory.mktemp("job")


@pytest.fixture(scope="module")
def first(folder: Path) -> dict[str, Any]:
    return run(folder, folder / "disk-1", **{HEADERS: "0"})


def test_compiled_blocks_have_the_loss_of_eager_ones(first: dict[str, Any], tmp_path: Path) -> None:
    eagerly = TRAINING.model_copy(update={"compile": "never"})
    eager = tiny.train(tmp_path, Process(), task=task(), training=eagerly)
    np.testing.assert_allclose(first["losses"], eager.curve.losses, atol=1e-6)
    assert first["said"][0] == "INFO compile: 2 blocks run compiled code"


def test_nothing_is_compiled_after_the_first_step_while_shapes_stay(first: dict[str, Any]) -> None:
    assert first["graphs"] == [1, 1, 1]


def test_the_next_attempt_finds_what_the_first_has_compiled(
    folder: Path, first: dict[str, Any]
) -> None:
    assert (first["found"], first["made"]) == (0, 2)  # forward and backward
    before = code(folder)
    shutil.rmtree(folder / "checkpoints")
    second = run(folder, folder / "disk-2", **{HEADERS: "1"})
    assert (second["found"], second["made"]) == (2, 0)
    assert second["losses"] == first["losses"]
    assert before
    assert code(folder) == before
    assert not list(folder.glob("disk-2/**/*.gch"))


def test_a_shape_that_cannot_be_compiled_makes_the_blocks_eager_and_is_told_once(
    first: dict[str, Any],
) -> None:
    assert first["far"] == 0.0
    assert first["said"][1:] == [
        "WARNING compile: No working C++ compiler found in torch._inductor.config.cpp.cxx:"
        " ('/without/a/compiler',); the model runs eagerly"
    ]


def test_folders_are_of_one_machine_and_of_one_process(tmp_path: Path) -> None:
    own = tmp_path / OWN / "process-2-7"
    born = {"GROUP_RANK": "2", "LOCAL_RANK": "7"}
    assert compiled_code.folders(tmp_path, "NVIDIA H100", born) == {
        INDUCTOR: own / "inductor",
        TRITON: own / "triton",
    }


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        pytest.param(
            {INDUCTOR: "/chosen"}, {}, id="torch keeps what is Triton's in its own folder"
        ),
        pytest.param(
            {INDUCTOR: default_cache_dir(), TRITON: "/chosen"},
            {INDUCTOR: "process-0-0/inductor"},
            id="the usual folder is nobody's choice",
        ),
        pytest.param({TRITON: "/chosen"}, {INDUCTOR: "process-0-0/inductor"}, id="Triton's alone"),
    ],
)
def test_folders_that_the_user_chose_stay(
    tmp_path: Path, chosen: dict[str, str], left: dict[str, str]
) -> None:
    expected = {name: tmp_path / OWN / path for name, path in left.items()}
    assert compiled_code.folders(tmp_path, "NVIDIA H100", chosen) == expected


def test_a_processor_is_told_apart_by_all_that_it_can_do() -> None:
    word, level, digest = compiled_code.machine(CPU).split("-")
    assert (word, level) == ("cpu", torch.backends.cpu.get_cpu_capability())
    assert len(digest) == 8


def test_half_a_library_is_removed_before_it_is_loaded(tmp_path: Path) -> None:
    linked = Path(_ctypes.__file__).read_bytes()
    libraries = {"whole": linked, "half": linked[: len(linked) // 2], "empty": b"", "no": b"x" * 99}
    for name, content in libraries.items():
        (tmp_path / f"{name}.so").write_bytes(content)
    environ: dict[str, str] = {}
    compiled_code.use({INDUCTOR: tmp_path}, environ)
    assert [path.name for path in tmp_path.iterdir()] == ["whole.so"]
    assert environ == {INDUCTOR: str(tmp_path)}
