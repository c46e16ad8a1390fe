"""A teacher that was trained on many rows, and jobs that learn from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.worker.distill import jobs

MakeJob = Callable[..., dict[str, Any]]


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)  # as in a gang, so that bits agree


@pytest.fixture(scope="package")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of rows: many for the teacher, few and noisy for students, and some without labels."""
    root = tmp_path_factory.mktemp("distill")
    jobs.write(root / "many.tsv", jobs.rows(1500, seed=1))
    jobs.write(root / "few.tsv", jobs.rows(60, seed=2, noise=0.2))
    jobs.write(root / "bare.tsv", jobs.rows(600, seed=3), labels=False)
    jobs.write(root / "dev.tsv", jobs.rows(400, seed=4, noise=0.1))
    return root


@pytest.fixture(scope="package")
def teacher(root: Path) -> jobs.Done:
    model = {
        "from": {"config": jobs.MODEL | {"layers": 2}},
        "tokenizer": {"train": {"kind": "wordpiece", "size": 120}},
    }
    data = {"train": {"uri": str(root / "many.tsv")}, "validation": {"uri": str(root / "dev.tsv")}}
    training = {"duration": {"epochs": 4}}
    spec = {"model": model, "data": data, "training": training}
    return jobs.run(root / "store", jobs.job("TransferJob", "teacher", spec))


@pytest.fixture(scope="package")
def make(root: Path, teacher: jobs.Done) -> MakeJob:
    """A DistillJob; keywords change parts of its spec."""

    def made(name: str, **changes: Any) -> dict[str, Any]:
        data = {
            "train": {"uri": str(root / "few.tsv")},
            "validation": {"uri": str(root / "dev.tsv")},
            "unlabelled": {"uri": str(root / "bare.tsv")},
        }
        spec = {
            "teacher": {"from": {"uri": str(teacher.artefact)}},
            "student": {"from": {"config": jobs.MODEL}},
            "method": {"name": "vanilla", "vanilla": {"temperature": 2, "alpha": 0.9}},
            "data": data,
            "training": {"duration": {"steps": 80}},
            "checkpoint": {"every": {"steps": 20}},
        }
        return jobs.job("DistillJob", name, spec | changes)

    return made


@pytest.fixture(scope="package")
def student(root: Path, make: MakeJob) -> jobs.Done:
    return jobs.run(root / "store", make("student"))
