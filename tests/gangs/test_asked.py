"""What a job asks for reaches its pods: accelerators, priority, overlay, queue, deadlines, TTL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import gpu
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.gangs.jobs import KIND, VERSION, Object, apply, small

PRIORITY = "graft-test-high"
ENDED = {"duration": {"steps": 20}}


@pytest.fixture
def priority(cluster: Cluster) -> Iterator[str]:
    """A priority class."""
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    cluster.api.apply(kind | {"metadata": {"name": PRIORITY}, "value": 1000})
    yield PRIORITY
    cluster.api.delete("scheduling.k8s.io/v1", "PriorityClass", PRIORITY)


def test_a_job_waits_for_an_accelerator_and_gets_what_it_asked_for(
    space: Namespace, store: Path, local_cluster: object, priority: str
):
    overlay = {
        "metadata": {"labels": {"team": "reviews"}},
        "spec": {"nodeSelector": {"kubernetes.io/hostname": "node2"}},
    }
    workers = {
        "resources": {"cpu": "100m", "memory": "1Gi", "gpu": 1},
        "podTemplate": overlay,
    }
    job = small("asking", workers=workers, training=ENDED, run={"priorityClassName": priority})
    applied = apply(space, job)
    status = applied.until(
        lambda s: "Insufficient nvidia.com/gpu" in message(s, "Running"), "the scheduler's words"
    )
    assert status["phase"] == "Pending"
    gpu.give(space.api, "node2", 1)
    try:
        applied.phase("Complete")
    finally:
        gpu.give(space.api, "node2", 0)
    (pod,) = applied.pods()
    spec = pod["spec"]
    (worker,) = spec["containers"]
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert (spec["nodeName"], spec["priority"]) == ("node2", 1000)
    assert pod["metadata"]["labels"]["team"] == "reviews"


def test_a_queue_admits_the_job_before_it_runs(space: Namespace, store: Path):
    applied = apply(space, small("queued", training=ENDED, run={"queue": "team-a"}))
    for stage in ("p1", "t1"):
        applied.until(lambda s: s.get("phase") == "Queued", f"the queue before {stage}")
        # The test admits it, as Kueue does.
        found = until(
            lambda stage=stage: space.api.find("batch/v1", "Job", f"queued-{stage}", space.name),
            "the batch Job",
        )
        assert found["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-a"
        assert found["spec"]["suspend"] is True
        assert not space.pods(f"job-name=queued-{stage}")
        admitted = {"spec": {"suspend": False}}
        space.api.patch("batch/v1", "Job", f"queued-{stage}", admitted, namespace=space.name)
        applied.until(lambda s: s.get("phase") != "Queued", "the admission")
    status = applied.phase("Complete")
    (queued,) = (c for c in status["conditions"] if c["type"] == "Queued")
    assert (queued["status"], queued["reason"]) == ("False", "Admitted")


def test_a_job_that_somebody_else_manages_is_left_alone(space: Namespace, store: Path):
    foreign = apply(
        space, small("foreign", managedBy="kueue.x-k8s.io/multikueue", run={"queue": "a"})
    )
    # A later job of ours has come further than the first look: the other would have, too.
    apply(space, small("ours", training=ENDED)).step(1)
    assert foreign.status == {}
    assert not [p for p in space.pods() if p["metadata"]["name"].startswith("foreign")]


def test_a_deadline_ends_a_job_that_cannot_start_and_frees_what_it_held(
    space: Namespace, store: Path
):
    workers = {"resources": {"cpu": "900", "memory": "1Gi"}}
    run = {"deadlines": {"start": "10s"}}
    status = apply(space, small("late", workers=workers, run=run)).failed()
    (failed,) = (c for c in status["conditions"] if c["type"] == "Failed")
    assert failed["reason"] == "DeadlineExceeded"
    assert "deadlines.start" in failed["message"]
    assert "finds no node" in failed["message"]
    until(lambda: not space.pods("graft.dev/role=worker"), "the end of its pods")


def test_an_ended_job_goes_when_its_time_is_over_and_its_model_stays(space: Namespace, store: Path):
    applied = apply(space, small("brief", training=ENDED, run={"ttlAfterFinished": "5s"}))
    digest = applied.phase("Complete")["artefact"]["digest"].replace(":", "-")
    gone = lambda: space.api.find(VERSION, KIND, "brief", space.name) is None  # noqa: E731
    until(gone, "the end of the job")
    until(lambda: not space.pods(), "the end of its pods")
    assert (store / "artefacts" / digest / "MANIFEST.json").is_file()


def message(status: Object, kind: str) -> str:
    """What a condition says."""
    found = (c.get("message", "") for c in status.get("conditions") or () if c["type"] == kind)
    return next(found, "")
