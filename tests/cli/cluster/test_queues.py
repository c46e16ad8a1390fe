"""`graft why` of a job in a queue: without Kueue, without the queue, with the words of Kueue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from graft_api.vocabulary import Label
from graft_operator.cluster import requests
from graft_operator.cluster.requests import Request
from tests.cli.cluster.stage import CRDS, SECONDS, Object, Stage, says
from tests.cluster.wait import until

GROUP, VERSION = "kueue.x-k8s.io", "v1beta2"
KINDS = {"localqueues": "LocalQueue", "workloads": "Workload"}
ASKED = ("why", "reviews", "--operator-namespace")
Why = Callable[[], tuple[str, str]]


@pytest.fixture
def why(stage: Stage) -> Why:
    """What is told of a job that waits in queue gold: name and sentence."""
    stage.job(run={"queue": "gold"})
    stage.lease(age=1)
    held = says("Queued", "True", "QuotaPending", "queue gold has not admitted it yet")
    stage.status(phase="Queued", observedGeneration=1, attempt=1, conditions=[held])

    def told() -> tuple[str, str]:
        result = stage.graft(*ASKED, stage.namespace, "-o", "json")
        assert (result.returncode, result.stderr) == (0, "")
        cause = json.loads(result.stdout)["cause"]
        return cause["name"], cause["says"]

    return told


@pytest.fixture
def kueue(stage: Stage) -> Iterator[str]:
    """The folder of Kueue's objects in the namespace: its kinds are known, nobody serves them."""
    for plural, kind in KINDS.items():
        stage.send(Request(verb="POST", path=CRDS, body=_definition(plural, kind)))
    folder = f"/apis/{GROUP}/{VERSION}/namespaces/{stage.namespace}"
    for plural in KINDS:
        served = Request(verb="GET", path=f"{folder}/{plural}")
        until(lambda asked=served: stage.api.send(asked).ok, plural, seconds=SECONDS)
    yield folder
    for plural in KINDS:
        stage.send(Request(verb="DELETE", path=f"{CRDS}/{plural}.{GROUP}"))
    gone = Request(verb="GET", path=f"/apis/{GROUP}")
    until(lambda: stage.api.send(gone).code == 404, "the end of the kinds", seconds=SECONDS)


def test_a_cluster_without_kueue(why: Why) -> None:
    assert why() == (
        "KueueMissing",
        "The job waits in queue gold, and this cluster has no Kueue that could admit it.",
    )


def test_a_queue_from_missing_to_full(stage: Stage, why: Why, kueue: str) -> None:
    assert why() == (
        "QueueNotFound",
        f"The job waits in queue gold, and {stage.namespace} has none.",
    )
    queue = _made(stage, kueue, "localqueues", "gold")
    assert why() == (
        "QuotaPending",
        "The job waits in queue gold: queue gold has not admitted it yet.",
    )
    full = "couldn't assign flavors to pod set main: insufficient quota for cpu"
    label = f"{GROUP}/job-uid"
    _made(stage, kueue, "workloads", "other", labels={label: "u"}, says=("QuotaReserved", "no"))
    uid = _batch_job(stage)
    _made(stage, kueue, "workloads", "ours", labels={label: uid}, says=("QuotaReserved", full))
    assert why() == ("QuotaPending", f"The job waits in queue gold: {full}.")
    stopped = {"status": _status("Active", "ClusterQueue is stopped")}
    stage.send(Request(verb="PATCH", path=queue, body=stopped, content_type=requests.MERGE_PATCH))
    assert why() == ("QuotaPending", "The job waits in queue gold: ClusterQueue is stopped.")


def _batch_job(stage: Stage) -> str:
    """The suspended batch Job that the operator makes; its UID."""
    job = stage.get("TransferJob", "reviews")
    assert job is not None
    container = {"name": "worker", "image": "worker:1"}
    body: Object = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "reviews-t1",
            "labels": {
                Label.JOB: "reviews",
                Label.KIND: "TransferJob",
                Label.ROLE: "worker",
                Label.ATTEMPT: "1",
            },
        },
        "spec": {
            "suspend": True,
            "template": {"spec": {"containers": [container], "restartPolicy": "Never"}},
        },
    }
    return str(stage.make(body)["metadata"]["uid"])


def _made(
    stage: Stage,
    folder: str,
    plural: str,
    name: str,
    *,
    labels: dict[str, str] | None = None,
    says: tuple[str, str] | None = None,
) -> str:
    """The path of an object of Kueue's that was made."""
    body: Object = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KINDS[plural],
        "metadata": {"name": name, "labels": labels or {}},
    }
    if says:
        body["status"] = _status(*says)
    stage.send(Request(verb="POST", path=f"{folder}/{plural}", body=body))
    return f"{folder}/{plural}/{name}"


def _status(kind: str, message: str) -> Object:
    return {"conditions": [{"type": kind, "status": "False", "message": message}]}


def _definition(plural: str, kind: str) -> Object:
    """A definition that takes everything, its status included."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        # Names of such a group are approved by nobody but their owners.
        "metadata": {
            "name": f"{plural}.{GROUP}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
        },
        "spec": {
            "group": GROUP,
            "names": {"plural": plural, "kind": kind},
            "scope": "Namespaced",
            "versions": [version],
        },
    }
