"""What the API server tells: who wrote what, and how much nodes use."""

from __future__ import annotations

from tests.cluster import audit
from tests.cluster.api import MANAGER, RefusedError
from tests.cluster.audit import Who
from tests.cluster.cluster import LocalCluster
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.wait import POD_RUNS, until

USER = ("admin", MANAGER)


def test_writes_are_counted_by_user_program_and_resource(
    local_cluster: LocalCluster, namespace: Namespace
) -> None:
    namespace.apply(note("before", "not counted"))
    since = audit.now()
    namespace.apply([note("a", "1"), note("b", "2")])
    namespace.api.get("v1", "ConfigMap", "a", namespace.name)
    namespace.api.delete("v1", "ConfigMap", "a", namespace.name)

    who = Who(agent=MANAGER, namespace=namespace.name)
    counted = audit.writes(local_cluster.settings, who, since=since)
    assert counted == {(*USER, "configmaps"): 3}


def test_usage_of_nodes_is_measured(local_cluster: LocalCluster, cluster: Cluster) -> None:
    def look() -> set[str]:
        try:
            found = cluster.api.list("metrics.k8s.io/v1beta1", "NodeMetrics")
        except (RefusedError, KeyError):
            return set()
        names = {one["metadata"]["name"] for one in found}
        return names if names >= {"node1", "node2"} else set()

    assert until(look, "usage of both nodes", seconds=POD_RUNS) >= {"node1", "node2"}


def note(name: str, said: str) -> dict[str, object]:
    """Something to keep."""
    about = {"name": name}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"said": said}}
