"""What a stage finds in its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from graft_api.errors import ConfigError
from graft_api.plan import Gang, Stage, Variable
from graft_worker.local import processes
from graft_worker.local.processes import Place

MakeStage = Callable[..., Stage]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "store/jobs/transferjob/reviews-41061226"
    return Place(
        store=tmp_path / "store", folder=folder, uid="41061226", attempt=3, metrics_port=9100
    )


def test_the_contract_with_workers_is_complete(make_stage: MakeStage, place: Place) -> None:
    stage = make_stage("train", "pass", gang=Gang(desired=2, max=2, processes=2))
    found = processes.environment(stage, place=place, environ={"PATH": "/bin"})
    job = str(place.folder)
    assert found == {
        "PATH": "/bin",
        "GRAFT_JOB_FILE": f"{job}/job.json",
        "GRAFT_STORE": str(place.store),
        "GRAFT_JOB_DIR": job,
        "GRAFT_JOB_UID": "41061226",
        "GRAFT_ATTEMPT": "3",
        "GRAFT_METRICS_PORT": "9100",
        "GRAFT_STOP_FILE": f"{job}/logs/attempt-3/stop",
        "GRAFT_TERMINATION_FILE": f"{job}/termination.json",
        "GRAFT_PARENT_PID": str(os.getpid()),
        "PET_NNODES": "1:1",
        "PET_NPROC_PER_NODE": "4",
        "OMP_NUM_THREADS": str(max(1, len(os.sched_getaffinity(0)) // 4)),
    }


@pytest.mark.parametrize(
    ("environ", "asked", "expected"),
    [
        pytest.param({"OMP_NUM_THREADS": "7"}, (), "7", id="the shell decides over the machine"),
        pytest.param({"OMP_NUM_THREADS": "7"}, ("3",), "3", id="the job decides over the shell"),
    ],
)
def test_threads(
    make_stage: MakeStage,
    place: Place,
    environ: dict[str, str],
    asked: tuple[str, ...],
    expected: str,
) -> None:
    planned = Variable(name="OMP_NUM_THREADS", value=asked[0] if asked else "1")
    job = {"spec": {"workers": {"env": [{"name": "OMP_NUM_THREADS", "value": v} for v in asked]}}}
    stage = processes.threads_by_user(make_stage("train", "pass", env=(planned,)), job=job)
    found = processes.environment(stage, place=place, environ=environ)
    assert found["OMP_NUM_THREADS"] == expected


def test_a_gang_around_us_does_not_reach_the_workers(make_stage: MakeStage, place: Place) -> None:
    outer = {"RANK": "3", "WORLD_SIZE": "8", "PET_RDZV_ENDPOINT": "x:1", "GRAFT_LAUNCHER_PID": "1"}
    found = processes.environment(make_stage("train", "pass"), place=place, environ=outer)
    assert not {"RANK", "WORLD_SIZE", "PET_RDZV_ENDPOINT", "GRAFT_LAUNCHER_PID"} & found.keys()


def test_a_variable_from_a_secret_is_taken_from_the_shell(
    make_stage: MakeStage, place: Place
) -> None:
    token = Variable(name="TOKEN", value_from='{"secretKeyRef": {"name": "s", "key": "k"}}')
    stage = make_stage("train", "pass", env=(token,))
    found = processes.environment(stage, place=place, environ={"TOKEN": "abc"})
    assert found["TOKEN"] == "abc"
    with pytest.raises(ConfigError, match=r"workers\.env: TOKEN comes from a secret") as refused:
        processes.environment(stage, place=place, environ={})
    assert refused.value.hint == "set TOKEN in the environment of `graft run`"


def test_only_the_word_python_means_this_python(make_stage: MakeStage) -> None:
    stage = make_stage("train", "pass")
    assert processes.command(stage)[0] == sys.executable
    assert processes.command(replace(stage, argv=("/bin/true", "x"))) == ("/bin/true", "x")
