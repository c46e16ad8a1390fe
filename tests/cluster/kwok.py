"""Fake nodes: hundreds of pods of Jobs that run for as long as an annotation says.

A pod goes there only with the toleration and the node selector of `PLACE`. It runs for the
annotation `graft.dev/fake-seconds` ("5s"; 2 s without it) and succeeds, or fails where
`graft.dev/fake-exit` is "1".
"""

from __future__ import annotations

from tests.cluster import processes
from tests.cluster.api import Api, Object
from tests.cluster.cluster import is_ready
from tests.cluster.settings import HERE, Settings
from tests.cluster.wait import NODE_READY, until

KEY = "kwok.x-k8s.io/node"
PLACE: Object = {
    "nodeSelector": {"type": "kwok"},
    "tolerations": [{"key": KEY, "operator": "Exists", "effect": "NoSchedule"}],
}


def fake_nodes(settings: Settings, api: Api, count: int) -> list[str]:
    """Names of so many fake nodes, Ready."""
    config = settings.state / "kwok.kubeconfig"
    options = ["--kubeconfig", config, "--manage-nodes-with-annotation-selector", f"{KEY}=fake"]
    options += ["--config", HERE / "manifests" / "kwok-stages.yaml"]
    # Leases of 40 s, kwok's own, would lose against a grace period of 10 s.
    options += ["--node-lease-duration-seconds", "8", "--cidr", settings.fake_pods]
    processes.spawn(settings, "kwok", "kwok", *options)
    names = [f"fake-{number}" for number in range(count)]
    api.apply([_node(name) for name in names])
    until(lambda: _all_ready(api, names), f"{count} fake nodes", seconds=NODE_READY)
    return names


def _all_ready(api: Api, names: list[str]) -> bool:
    ready = {one["metadata"]["name"] for one in api.list("v1", "Node") if is_ready(one)}
    return ready >= set(names)


def _node(name: str) -> Object:
    labels = {"type": "kwok", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    about = {"name": name, "annotations": {KEY: "fake"}, "labels": labels}
    taint = {"key": KEY, "value": "fake", "effect": "NoSchedule"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": about, "spec": {"taints": [taint]}}
