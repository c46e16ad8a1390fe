"""Traffic between pods: names, Services, and the policies that forbid it."""

from __future__ import annotations

from tests.cluster import netpol, pods
from tests.cluster.api import Object
from tests.cluster.cluster import is_ready
from tests.cluster.namespaces import Namespace
from tests.cluster.netpol import Pod, World
from tests.cluster.wait import until

SERVER = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8000)"
CLIENT = """
import time, urllib.request
while True:
    try:
        print(urllib.request.urlopen("http://{host}:8000", timeout=2).status, flush=True)
    except OSError as error:
        print("refused", error, flush=True)
    time.sleep(0.3)
"""
SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 8000}]},
}
ONLY_FRIENDS: Object = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "only-friends"},
    "spec": {
        "podSelector": {"matchLabels": {"app": "web"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"friend": "yes"}}}]}],
    },
}


def last_line(namespace: Namespace, pod: str) -> str:
    return (namespace.api.logs(pod, namespace.name, tailLines="1") or "").strip()


def test_a_service_is_reached_by_its_name_from_another_node(
    namespace: Namespace, base_image: str
) -> None:
    web = pods.restricted("web", base_image, SERVER, labels={"app": "web"}, **pods.on("node1"))
    namespace.apply([SERVICE, web])
    namespace.pod("web", is_ready)
    name = f"web.{namespace.name}.svc.cluster.local"
    client = CLIENT.replace("while True", "for _ in range(1)").format(host=name)
    namespace.apply(pods.restricted("client", base_image, client, **pods.on("node2")))
    assert namespace.ended("client") == ("Succeeded", "200\n")


def test_a_policy_lets_in_whom_it_names_and_nobody_else(
    namespace: Namespace, base_image: str
) -> None:
    code = CLIENT.format(host="web")
    web = pods.restricted("web", base_image, SERVER, labels={"app": "web"}, **pods.on("node1"))
    friend = pods.restricted(
        "friend", base_image, code, labels={"friend": "yes"}, **pods.on("node2")
    )
    stranger = pods.restricted("stranger", base_image, code, **pods.on("node1"))
    namespace.apply([SERVICE, web, friend, stranger])
    for name in ("web", "friend", "stranger"):
        namespace.pod(name, is_ready)
    until(lambda: last_line(namespace, "stranger") == "200", "the stranger to be let in")
    namespace.apply(ONLY_FRIENDS)
    shut = "the stranger to be kept out"
    until(lambda: last_line(namespace, "stranger").startswith("refused"), shut)
    until(lambda: last_line(namespace, "friend") == "200", "the friend to be let in")
    kind = ("networking.k8s.io/v1", "NetworkPolicy")
    namespace.api.delete(*kind, "only-friends", namespace.name)
    until(lambda: last_line(namespace, "stranger") == "200", "the stranger to be let in again")


def test_the_table_of_a_policy_says_who_may_come_in() -> None:
    policy = ONLY_FRIENDS | {"metadata": {"name": "only-friends", "namespace": "a"}}
    world = World(
        policies=(policy,),
        pods=(
            Pod(namespace="a", labels={"app": "web"}, address="10.0.0.1"),
            Pod(namespace="a", labels={"friend": "yes"}, address="10.0.0.2"),
            Pod(namespace="b", labels={"friend": "yes"}, address="10.0.0.3"),
        ),
        namespaces={"a": {}, "b": {}},
    )
    assert netpol.table(world).splitlines() == [
        "table inet graft",
        "delete table inet graft",
        "table inet graft {",
        "  chain ingress_10_0_0_1 {",
        "    ip saddr { 10.0.0.2 } return",
        "    drop",
        "  }",
        "  chain forward {",
        "    type filter hook forward priority 10; policy accept;",
        "    ct state established,related accept",
        "    ip daddr 10.0.0.1 jump ingress_10_0_0_1",
        "  }",
        "}",
    ]
