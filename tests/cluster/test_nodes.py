"""Real nodes: there, lost, and back."""

from __future__ import annotations

from tests.cluster import pods
from tests.cluster.api import Object
from tests.cluster.cluster import LocalCluster, is_ready
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.versions import KUBERNETES
from tests.cluster.wait import NODE_LOST, NODE_READY

REAL = ["node1", "node2"]


def node(cluster: Cluster, name: str, *, ready: bool) -> Object:
    what = ("v1", "Node", name, "")
    seconds = NODE_READY if ready else NODE_LOST
    return cluster.api.until(what, lambda one: is_ready(one) is ready, seconds=seconds)


def test_two_real_nodes_are_ready(cluster: Cluster, local_cluster: LocalCluster) -> None:
    found = [node(cluster, name, ready=True) for name in REAL]
    assert [one["status"]["nodeInfo"]["kubeletVersion"] for one in found] == [KUBERNETES] * 2


def test_a_node_without_power_is_not_ready_and_comes_back(
    cluster: Cluster, local_cluster: LocalCluster
) -> None:
    local_cluster.node(2).kill()
    try:
        node(cluster, "node2", ready=False)
        assert is_ready(cluster.api.get("v1", "Node", "node1"))
    finally:
        local_cluster.node(2).start()
    node(cluster, "node2", ready=True)


def test_a_node_whose_cable_is_out_is_not_ready_and_its_pod_goes_on(
    cluster: Cluster, local_cluster: LocalCluster, namespace: Namespace, base_image: str
) -> None:
    code = "import time; time.sleep(600)"
    endure = [{"operator": "Exists", "effect": "NoExecute"}]
    spec = pods.on("node2") | {"tolerations": endure}
    namespace.apply(pods.restricted("sleeper", base_image, code, **spec))
    before = namespace.pod("sleeper", is_ready)
    local_cluster.node(2).cut()
    try:
        node(cluster, "node2", ready=False)
    finally:
        local_cluster.node(2).join()
    node(cluster, "node2", ready=True)
    after = namespace.pod("sleeper", is_ready)
    started = [one["status"]["containerStatuses"][0]["containerID"] for one in (before, after)]
    assert started[0] == started[1]


def test_the_api_server_keeps_its_state_over_a_restart(
    cluster: Cluster, local_cluster: LocalCluster, namespace: Namespace
) -> None:
    about = {"name": "kept"}
    namespace.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"a": "b"}}
    )
    local_cluster.restart_api_server()
    assert cluster.api.get("v1", "ConfigMap", "kept", namespace.name)["data"] == {"a": "b"}
