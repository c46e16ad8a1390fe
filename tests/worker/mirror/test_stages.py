"""A job whose store is a bucket: the same weights, whatever happens to its nodes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from graft_api.vocabulary import ExitCode
from tests.gangs.jobs import Object, small
from tests.worker.mirror.buckets import Server, answers, free_port
from tests.worker.mirror.nodes import UID, Node, at
from tests.worker.waiting import until

JOB = f"jobs/transferjob/reviews-{UID}"
STEPS = 120
LONG = {"duration": {"epochs": 20}}
KEPT = 3  # checkpoints, where the job does not say


def reviews(**spec: Any) -> Object:
    # What is compared to the bit must not have its format chosen by a clock.
    training = {"precision": "fp32"} | spec.pop("training", {})
    return small("reviews", training=training, **spec)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the job trains where the store is a folder."""
    node = Node(folder=tmp_path_factory.mktemp("plain"), job=reviews())
    assert (node.run("prepare"), node.run("launch")) == (0, 0)
    return node.weights(node.store / "artefacts")


def prepared(s3: Server, folder: Path, name: str, **spec: Any) -> Node:
    """A node of a job whose prepare stage ran on another."""
    node = Node(folder=folder, job=reviews(**spec), environ=at(s3, name))
    assert node.run("prepare") == 0
    node.lose()
    return node


def test_a_bucket_gives_the_weights_of_a_folder(s3: Server, tmp_path: Path, weights: bytes) -> None:
    node = prepared(s3, tmp_path, "whole")
    assert node.run("launch") == 0
    assert node.weights(s3.folder / "whole" / "artefacts") == weights
    words = node.words
    digest = str(words.artefact_digest).replace(":", "-")
    assert (words.state, words.artefact_uri) == (
        "Complete",
        f"s3://models/whole/artefacts/{digest}",
    )
    marker = json.loads((s3.folder / "whole" / JOB / "result.json").read_text())
    assert marker["artefact"]["uri"] == words.artefact_uri
    last = json.loads((s3.folder / "whole" / JOB / "progress.json").read_text())
    assert (last["state"], last["checkpointStep"]) == ("Done", STEPS)
    assert last["checkpointUri"] == f"s3://models/whole/{JOB}/checkpoints/step-{STEPS:08d}"
    curve = (s3.folder / "whole" / JOB / "metrics.jsonl").read_text().splitlines()
    assert json.loads(curve[-1])["step"] == STEPS


def test_only_what_the_job_needs_is_brought(s3: Server, tmp_path: Path) -> None:
    prepared(s3, tmp_path / "other", "shared", data=_pairs_of("dev"))
    node = prepared(s3, tmp_path / "this", "shared")
    assert len(s3.names("shared/cache/sha256-*")) == 3  # of dev.tsv there are two encodings
    assert node.run("launch") == 0
    assert len(list((node.store / "cache").iterdir())) == 2


def _pairs_of(name: str) -> dict[str, object]:
    return {"train": {"uri": f"example://reviews/{name}.tsv"}, "maxLength": 32}


def test_what_one_job_has_tokenised_another_takes(s3: Server, tmp_path: Path) -> None:
    prepared(s3, tmp_path / "first", "cached")
    made = {name: (s3.folder / name).stat().st_mtime_ns for name in s3.names("cached/cache/*/*")}
    assert made
    again = Node(folder=tmp_path / "second", job=small("again"), environ=at(s3, "cached"))
    assert again.run("prepare") == 0
    assert made == {n: (s3.folder / n).stat().st_mtime_ns for n in s3.names("cached/cache/*/*")}


def test_a_job_starts_from_the_model_of_another(s3: Server, tmp_path: Path) -> None:
    first = prepared(s3, tmp_path / "first", "chain", training={"duration": {"steps": 5}})
    assert first.run("launch") == 0
    model = {"from": {"uri": first.words.artefact_uri}}
    short = {"duration": {"steps": 5}}
    job = small("second", model=model, training=short)
    second = Node(folder=tmp_path / "second", job=job, environ=first.environ)
    assert second.run("prepare") == 0
    second.lose()
    assert second.run("launch") == 0
    assert second.words.artefact_digest != first.words.artefact_digest


def test_stacks_of_a_hung_worker_are_in_the_bucket(s3: Server, tmp_path: Path) -> None:
    run = {"deadlines": {"hang": "2s"}}
    node = prepared(s3, tmp_path, "hung", run=run)
    fault = {"GRAFT_FAULTS_ENABLED": "1", "GRAFT_FAULT_AT": "0:30:sleep:600"}
    assert node.run("launch", **fault) == ExitCode.HUNG
    (stacks,) = s3.names(f"hung/{JOB}/logs/attempt-{node.attempt}/stacks-*")
    assert "after_step" in (s3.folder / stacks).read_text()


def test_a_lost_node_costs_no_bit(s3: Server, tmp_path: Path, weights: bytes) -> None:
    node = prepared(s3, tmp_path, "lost")
    process = node.start("launch")
    until(lambda: s3.names(f"lost/{JOB}/checkpoints/step-*/manifest.json"))
    node.kill(process)
    assert not s3.names("lost/artefacts/*")
    assert node.run("launch") == 0
    assert "goes on from the checkpoint of step" in (node.folder / "log").read_text()
    assert node.weights(s3.folder / "lost" / "artefacts") == weights
    assert len(s3.names(f"lost/{JOB}/checkpoints/step-*")) == KEPT


def test_a_half_copied_checkpoint_is_as_if_it_were_not(
    s3: Server, tmp_path: Path, weights: bytes
) -> None:
    node = prepared(s3, tmp_path, "half")
    fault = {"GRAFT_FAULTS_ENABLED": "1", "GRAFT_FAULT_AT": "0:95:raise"}
    assert node.run("launch", **fault) == ExitCode.FAILED
    node.lose()
    newest, older, *_ = sorted(
        (s3.folder / "half" / JOB / "checkpoints").glob("step-*"), reverse=True
    )
    (newest / "manifest.json").unlink()
    assert node.run("launch") == 0
    log = (node.folder / "log").read_text()
    assert f"{newest.name} was left half copied" in log
    step = int(older.name.partition(".")[0].removeprefix("step-"))
    assert f"goes on from the checkpoint of step {step}" in log
    assert node.weights(s3.folder / "half" / "artefacts") == weights


def test_a_stop_ends_when_the_state_is_in_the_bucket(
    s3: Server, tmp_path: Path, weights: bytes
) -> None:
    node = prepared(s3, tmp_path, "stopped", checkpoint={"every": {"steps": 1000}})
    process = node.start("launch")
    until(lambda: node.report is not None and node.report.step >= 5)
    with s3.silent():
        process.send_signal(signal.SIGTERM)
        until(lambda: _copied_locally(node))
        assert process.poll() is None
    assert process.wait() == ExitCode.STOPPED
    report = node.report
    assert report
    assert (report.state, report.checkpoint_step) == ("Stopped", report.step)
    (copy,) = s3.names(f"stopped/{JOB}/checkpoints/step-*/manifest.json")
    assert f"step-{report.step:08d}." in copy
    node.lose()
    assert node.run("launch") == 0
    assert node.weights(s3.folder / "stopped" / "artefacts") == weights


def _copied_locally(node: Node) -> bool:
    return any(node.job_dir.glob("checkpoints/step-*/manifest.json"))


def test_two_processes_of_a_node_share_what_is_brought(s3: Server, tmp_path: Path) -> None:
    pair = {"processes": 2, "resources": {"cpu": "100m", "memory": "1Gi"}}
    plain = Node(folder=tmp_path / "plain", job=reviews(workers=pair))
    assert (plain.run("prepare"), plain.run("launch")) == (0, 0)
    node = prepared(s3, tmp_path / "node", "pair", workers=pair)
    process = node.start("launch")
    until(lambda: s3.names(f"pair/{JOB}/checkpoints/step-*/manifest.json"))
    node.kill(process)
    assert node.run("launch") == 0
    assert node.weights(s3.folder / "pair" / "artefacts") == plain.weights(
        plain.store / "artefacts"
    )


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        pytest.param(
            {"GRAFT_STORE_URI": "s3://nobody/x"},
            f"s3://nobody/x/{JOB}/job.json: there is no bucket nobody at",
            id="no such bucket",
        ),
        pytest.param(
            {"AWS_SECRET_ACCESS_KEY": "not the secret"},
            f"s3://models/refused/{JOB}/job.json: refused by",
            id="a wrong secret",
        ),
    ],
)
def test_a_bucket_that_cannot_be_used_ends_the_job_before_it_works(
    s3: Server, tmp_path: Path, environ: dict[str, str], message: str
) -> None:
    node = Node(folder=tmp_path, job=reviews(), environ=at(s3, "refused") | environ)
    assert node.run("prepare") == ExitCode.STORE
    words = node.words
    assert words.message.startswith(message)
    assert (words.failure_class, words.exit_code) == ("InfrastructureError", 74)
    assert not (node.store / "cache").exists()
    assert "not the secret" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("variable", "expected"),
    [("GRAFT_STORE_URI", "s3://bucket/prefix"), ("GRAFT_STORE", "a folder")],
)
def test_a_store_at_another_address_is_refused(
    tmp_path: Path, variable: str, expected: str
) -> None:
    node = Node(folder=tmp_path, job=reviews(), environ={variable: "gs://x"})
    assert node.run("prepare") == ExitCode.CONFIG
    assert node.words.message == f'{variable}="gs://x": expected {expected}'


def test_an_elastic_gang_goes_on_from_the_bucket_without_the_machine_of_rank_0(
    s3: Server, tmp_path: Path
) -> None:
    elastic: dict[str, Any] = {"workers": {"min": 1, "max": 2, "desired": 2}, "training": LONG}
    first = prepared(s3, tmp_path / "first", "elastic", **elastic)
    second = Node(folder=tmp_path / "second", job=first.job, environ=first.environ)
    with meeting(tmp_path) as place:
        running = {id(node): node.start("launch", **place) for node in (first, second)}
        until(lambda: len(s3.names(f"elastic/{JOB}/checkpoints/step-*/manifest.json")) > 1)
        leader, other = (first, second) if _saves(first) else (second, first)
        assert not _saves(other)
        leader.kill(running[id(leader)])
        assert running[id(other)].wait() == 0
    log = (other.folder / "log").read_text()
    went_on = re.findall(r"goes on from the checkpoint of step (\d+)", log)
    assert went_on
    assert int(went_on[-1]) >= 20
    words = other.words
    assert (words.state, words.step) == ("Complete", words.total_steps)
    digest = str(words.artefact_digest).replace(":", "-")
    assert s3.names(f"elastic/artefacts/{digest}/MANIFEST.json")


def _saves(node: Node) -> bool:
    return any(node.job_dir.glob("checkpoints/step-*"))


@contextmanager
def meeting(folder: Path) -> Iterator[dict[str, str]]:
    """What launchers are told of a rendezvous store that lasts as long as the context."""
    port, health = free_port(), free_port()
    with (folder / "rendezvous.log").open("wb") as log:
        store = subprocess.Popen(
            [sys.executable, "-m", "graft_worker", "rendezvous"],
            env=os.environ
            | {
                "GRAFT_RENDEZVOUS_PORT": str(port),
                "GRAFT_RENDEZVOUS_HEALTH_PORT": str(health),
            },
            stdout=log,
            stderr=log,
        )
    with store:
        until(lambda: answers(f"http://127.0.0.1:{health}/healthz"))
        yield {
            "PET_NNODES": "1:2",
            "PET_RDZV_BACKEND": "c10d",
            "PET_RDZV_ENDPOINT": f"127.0.0.1:{port}",
            "PET_RDZV_ID": "elastic",
            "PET_RDZV_CONF": "is_host=false,join_timeout=60,last_call_timeout=1,"
            "keep_alive_interval=1,keep_alive_max_attempt=3",
            "PET_LOCAL_ADDR": "127.0.0.1",
            "PET_MAX_RESTARTS": "9",
            "PET_MONITOR_INTERVAL": "0.2",
            "GRAFT_COLLECTIVE_SECONDS": "20",
        }
        store.kill()
