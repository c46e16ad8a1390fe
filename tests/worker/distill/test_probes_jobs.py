"""DistillJobs whose students follow probes on the teacher's layers, from file to artefact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graft_worker.distributed.process import Process
from graft_worker.models.weights import read_weights
from graft_worker.run.evaluate import evaluate
from tests.worker.distill import jobs
from tests.worker.distributed import gang

MakeJob = Callable[..., dict[str, Any]]

METHOD = {"name": "probes", "probes": {"weight": 0.5}}


@pytest.fixture(scope="module")
def follower(root: Path, make: MakeJob) -> jobs.Done:
    return jobs.run(root / "followers", make("follower", method=METHOD))


def test_a_student_with_probes_beats_labels_alone_and_is_compared_with_the_teacher(
    root: Path, teacher: jobs.Done, follower: jobs.Done
) -> None:
    assert follower.words.metrics["accuracy"] >= 0.85  # labels alone: under 0.8 (test_jobs.py)
    of_teacher = evaluate(teacher.artefact, str(root / "dev.tsv"))
    assert follower.words.comparison["teacher"] == f"{of_teacher['accuracy']:.6g}"
    found = evaluate(follower.artefact, str(root / "dev.tsv"))
    assert found["accuracy"] == pytest.approx(follower.words.metrics["accuracy"], abs=1e-6)


def test_the_probes_stay_behind(follower: jobs.Done, student: jobs.Done) -> None:
    assert read_weights(follower.artefact).keys() == read_weights(student.artefact).keys()


def test_a_second_student_finds_probes_and_answers(
    root: Path, make: MakeJob, follower: jobs.Done
) -> None:
    before = kept(root / "followers")
    told = make("second-follower", method=METHOD, training={"duration": {"steps": 2}, "seed": 7})
    jobs.run(root / "followers", told)
    assert kept(root / "followers") == before


def kept(store: Path) -> dict[str, int]:
    """Folders of the cache, and when they were whole."""
    return {p.parent.name: p.stat().st_mtime_ns for p in store.glob("cache/sha256-*/MANIFEST.json")}


def test_a_job_that_failed_and_runs_again_gives_the_weights_of_an_uninterrupted_one(
    root: Path, make: MakeJob, follower: jobs.Done
) -> None:
    told, store = make("follower", method=METHOD), root / "followed-again"
    with pytest.raises(RuntimeError, match="a rehearsed failure"):
        jobs.run(store, told, fault="0:50:raise")
    resumed = jobs.run(store, told)
    assert resumed.weights == follower.weights
    assert resumed.words.artefact_digest == follower.words.artefact_digest


def in_gang(process: Process, store: str, told: dict[str, Any]) -> dict[str, float]:
    return dict(jobs.run(Path(store), told, process=process).words.metrics)


def test_two_processes_follow_one(root: Path, make: MakeJob, follower: jobs.Done) -> None:
    metrics, _ = gang.run(2, in_gang, str(root / "followed"), make("follower", method=METHOD))
    assert metrics["accuracy"] == pytest.approx(follower.words.metrics["accuracy"], abs=0.01)
    alone, together = (
        {
            path.parent.name: path.read_bytes()
            for column in ("logits", "weight")
            for path in store.glob(f"cache/sha256-*/example.{column}.bin")
        }
        for store in (root / "followers", root / "followed")
    )
    assert together
    assert together.items() <= alone.items()


def test_a_student_of_the_teachers_layers_follows_them(root: Path, make: MakeJob) -> None:
    told = make(
        "taken-follower",
        method=METHOD,
        student={"from": {"teacher": {"layers": 1}}},
        training={"duration": {"steps": 10}},
    )
    done = jobs.run(root / "followers", told)
    assert done.words.comparison["sizeRatio"] > 1
