"""Fake nodes and GPUs that only the scheduler sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import gpu, kwok
from tests.cluster.cluster import LocalCluster, is_ready
from tests.cluster.fixtures import FakeNodes
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.pods import Wish, pod, spec
from tests.cluster.wait import POD_RUNS

FOREVER = ("python3", "-c", "import signal; signal.pause()")


def test_a_job_of_ten_pods_runs_on_fake_nodes(namespace: Namespace, fake_nodes: FakeNodes) -> None:
    names = fake_nodes(3)

    namespace.apply(job("many", pods=10))

    done = ended(namespace, "many", "Complete")
    assert done["status"]["succeeded"] == 10
    assert {one["spec"]["nodeName"] for one in namespace.pods()} <= set(names)


def test_a_job_on_fake_nodes_fails_where_it_is_told_to(
    namespace: Namespace, fake_nodes: FakeNodes
) -> None:
    fake_nodes(3)

    namespace.apply(job("bad", pods=1, annotations={"graft.dev/fake-exit": "1"}))

    assert ended(namespace, "bad", "Failed")["status"]["failed"] == 1


def test_gpus_are_given_out_one_by_one(gpus: str, namespace: Namespace, base_image: str) -> None:
    wish = Wish(image=base_image, command=FOREVER, limits={gpu.RESOURCE: "2"})
    namespace.apply([pod(name, wish) for name in ("first", "second")])
    namespace.pod("first", is_ready)
    namespace.pod("second", is_ready)
    assert {one["spec"]["nodeName"] for one in namespace.pods()} == {gpus}

    namespace.apply(pod("third", wish))
    told = namespace.pod("third", unschedulable)
    assert "2 Insufficient nvidia.com/gpu" in unschedulable(told)

    namespace.api.delete("v1", "Pod", "first", namespace.name)
    namespace.pod("third", is_ready)


@pytest.fixture
def gpus(local_cluster: LocalCluster, cluster: Cluster) -> Iterator[str]:
    """The first node, which has four GPUs meanwhile."""
    gpu.give(cluster.api, "node1", 4)
    yield "node1"
    gpu.give(cluster.api, "node1", 0)


def job(name: str, *, pods: int, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    """An Indexed Job whose pods go to fake nodes."""
    fake = spec(Wish(image="fake", command=("true",))) | kwok.PLACE
    template = {"metadata": {"annotations": annotations or {}}, "spec": fake}
    about = {
        "completions": pods,
        "parallelism": pods,
        "completionMode": "Indexed",
        "backoffLimit": 0,
        "template": template,
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": about}


def ended(namespace: Namespace, name: str, how: str) -> dict[str, Any]:
    """The job as soon as it has this condition."""

    def true(one: dict[str, Any]) -> bool:
        found = one.get("status", {}).get("conditions") or []
        return any(each["type"] == how and each["status"] == "True" for each in found)

    what = ("batch/v1", "Job", name, namespace.name)
    return namespace.api.until(what, true, seconds=POD_RUNS)


def unschedulable(one: dict[str, Any]) -> str:
    """Why the scheduler has no node for a pod; empty where it has not said so."""
    found = one["status"].get("conditions") or []
    return next((each["message"] for each in found if each.get("reason") == "Unschedulable"), "")
