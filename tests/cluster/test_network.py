"""Services, names and network policies, between real nodes."""

from __future__ import annotations

import pytest

from tests.cluster.api import Object
from tests.cluster.cluster import is_ready
from tests.cluster.namespaces import Namespace
from tests.cluster.pods import Wish, pod
from tests.cluster.wait import until

SERVE = ("python3", "-m", "http.server", "8080", "--directory", "/tmp")
ASK = """
import signal, socket, sys, threading, urllib.error, urllib.request
def ask(url):
    try:
        return str(urllib.request.urlopen(url, timeout=2).status)
    except urllib.error.URLError as error:
        return "silence" if isinstance(error.reason, TimeoutError) else str(error)
    except TimeoutError:
        return "silence"
while True:
    print(ask(sys.argv[1]), flush=True)
    threading.Event().wait(0.2)
"""


def test_a_service_is_reached_by_name_from_both_nodes(
    namespace: Namespace, base_image: str, server: str
) -> None:
    for node in ("node1", "node2"):
        namespace.apply(pod(f"from-{node}", asking(base_image, "http://server:8080/", node)))

    assert hears(namespace, "from-node1", "200")
    assert hears(namespace, "from-node2", "200")


def test_a_pod_has_a_name_of_its_own_behind_a_headless_service(
    namespace: Namespace, base_image: str, server: str
) -> None:
    namespace.apply(service("peers", headless=True))
    url = f"http://server.peers.{namespace.name}.svc.cluster.local:8080/"
    namespace.apply(pod("peer", asking(base_image, url, "node2")))

    assert hears(namespace, "peer", "200")


@pytest.mark.parametrize("node", ["node1", "node2"])
def test_a_policy_lets_in_whom_it_names_and_nobody_else(
    namespace: Namespace, base_image: str, server: str, node: str
) -> None:
    url = "http://server:8080/"
    namespace.apply(pod("friend", asking(base_image, url, node, role="friend")))
    namespace.apply(pod("stranger", asking(base_image, url, node, role="stranger")))
    assert hears(namespace, "friend", "200")
    assert hears(namespace, "stranger", "200")

    namespace.apply(only_friends())
    assert hears(namespace, "stranger", "silence")
    assert hears(namespace, "friend", "200")

    namespace.api.delete("networking.k8s.io/v1", "NetworkPolicy", "friends", namespace.name)
    assert hears(namespace, "stranger", "200")


def test_a_policy_on_ways_out_lets_names_resolve_and_nothing_else(
    namespace: Namespace, base_image: str, server: str
) -> None:
    url = "http://server:8080/"
    namespace.apply(pod("caller", asking(base_image, url, "node2", role="caller")))
    assert hears(namespace, "caller", "200")

    namespace.apply(only_names())
    assert hears(namespace, "caller", "silence")


@pytest.fixture
def server(namespace: Namespace, base_image: str) -> str:
    """A web server on the first node, behind a Service of its name."""
    labels = {"role": "server"}
    wish = Wish(image=base_image, command=SERVE, node="node1", labels=labels)
    one = pod("server", wish)
    one["spec"] |= {"hostname": "server", "subdomain": "peers"}
    namespace.apply([one, service("server")])
    namespace.pod("server", is_ready)
    return "server"


def asking(image: str, url: str, node: str, *, role: str = "asks") -> Wish:
    """A pod that asks for a page again and again and logs each answer."""
    command = ("python3", "-c", ASK, url)
    return Wish(image=image, command=command, node=node, labels={"role": role})


def hears(namespace: Namespace, name: str, answer: str) -> bool:
    """Waits until the newest answer that a pod heard is this one."""
    namespace.pod(name, is_ready)

    def look() -> bool:
        lines = namespace.api.logs(name, namespace.name, tailLines="1").splitlines()
        return lines == [answer]

    return until(look, f"{name} to hear {answer}")


def service(name: str, *, headless: bool = False) -> Object:
    """A Service before the server."""
    spec: Object = {"selector": {"role": "server"}, "ports": [{"port": 8080}]}
    if headless:
        spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def only_friends() -> Object:
    """Lets friends in, at the server's port."""
    friend = {"podSelector": {"matchLabels": {"role": "friend"}}}
    rule = {"from": [friend], "ports": [{"port": 8080}]}
    return policy("friends", role="server", rules={"policyTypes": ["Ingress"], "ingress": [rule]})


def only_names() -> Object:
    """Lets out questions for names."""
    rule = {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    return policy("names", role="caller", rules={"policyTypes": ["Egress"], "egress": [rule]})


def policy(name: str, *, role: str, rules: Object) -> Object:
    """A policy on the pods of one role."""
    spec = {"podSelector": {"matchLabels": {"role": role}}, **rules}
    about = {"name": name}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": about,
        "spec": spec,
    }
