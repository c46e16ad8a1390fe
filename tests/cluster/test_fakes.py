"""What is only pretended: fake nodes run Jobs, fake GPUs are counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster import gpu, kwok, pods
from tests.cluster.api import Object
from tests.cluster.cluster import is_ready
from tests.cluster.namespaces import Namespace
from tests.cluster.settings import Settings
from tests.cluster.wait import until


def job(name: str, base_image: str, annotations: dict[str, str]) -> Object:
    pod = pods.restricted(name, base_image, "pass", **kwok.PLACE)
    template = {"metadata": {"annotations": annotations}, "spec": pod["spec"]}
    spec = {
        "completions": 3,
        "parallelism": 3,
        "backoffLimit": 0,
        "completionMode": "Indexed",
        "template": template,
    }
    about = {"name": name}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": about, "spec": spec}


def ended(one: Object) -> bool:
    found = one["status"].get("conditions") or []
    return any(each["type"] in ("Complete", "Failed") for each in found)


@pytest.mark.parametrize(
    ("annotations", "last"),
    [({"graft.dev/fake-seconds": "1s"}, "Complete"), ({"graft.dev/fake-exit": "1"}, "Failed")],
)
def test_fake_nodes_run_a_job(
    namespace: Namespace,
    fake_nodes: Callable[[int], list[str]],
    annotations: dict[str, str],
    last: str,
) -> None:
    assert fake_nodes(2) == ["fake-0", "fake-1"]
    namespace.apply(job("gang", "no/such-image", annotations))
    what = ("batch/v1", "Job", "gang", namespace.name)
    found = namespace.api.until(what, ended, seconds=60)
    assert found["status"]["conditions"][-1]["type"] == last


def test_gpus_are_given_out_until_none_is_left(namespace: Namespace, base_image: str) -> None:
    gpu.give(namespace.api, "node1", 3)
    code = "import time; time.sleep(600)"
    two = {"limits": {"nvidia.com/gpu": "2", "memory": "64Mi"}, "requests": {"cpu": "10m"}}
    for name in ("first", "second"):
        namespace.apply(pods.restricted(name, base_image, code, resources=two))
        placed = {"first": is_ready, "second": cannot_be_placed}[name]
        namespace.pod(name, placed)
    namespace.api.delete("v1", "Pod", "first", namespace.name, gracePeriodSeconds=0)
    assert namespace.pod("second", is_ready)["spec"]["nodeName"] == "node1"
    gpu.give(namespace.api, "node1", 0)


def cannot_be_placed(one: Object) -> bool:
    found = one["status"].get("conditions") or []
    return any(each.get("reason") == "Unschedulable" for each in found)


def test_two_clusters_share_nothing_but_the_cache() -> None:
    one, two = (Settings.read({"GRAFT_CLUSTER_NUMBER": number}) for number in ("0", "1"))
    names = ("state", "bridge", "host", "registry", "api_port", "etcd_port", "pods", "fake_pods")
    assert [name for name in names if getattr(one, name) == getattr(two, name)] == []
    assert one.cache == two.cache


def test_waiting_ends_with_what_was_waited_for() -> None:
    with pytest.raises(TimeoutError, match=r"for the moon to fall$"):
        until(lambda: False, "the moon to fall", seconds=0)
