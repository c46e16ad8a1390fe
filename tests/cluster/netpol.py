"""NetworkPolicy, enforced on the real nodes by nftables; `python -m tests.cluster.netpol`.

With the ptp plug-in every packet between pods crosses a node's forward hook, after Services are
resolved, so one table a node is enough. Covered: podSelector, namespaceSelector, ipBlock with
except, numeric ports and ranges, both directions. Not covered: named ports, SCTP, pods on the
host's network. It proves that our policies say what they mean, not that a vendor's engine agrees.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from urllib3.exceptions import HTTPError

from tests.cluster import nodes, processes
from tests.cluster.api import Api, Object, RefusedError
from tests.cluster.settings import ROOT, Settings

PAUSE = 0.5
Labels = Mapping[str, str]
OPERATORS: Mapping[str, Callable[[Labels, Object], bool]] = {
    "In": lambda labels, one: labels.get(one["key"]) in one["values"],
    "NotIn": lambda labels, one: labels.get(one["key"]) not in one["values"],
    "Exists": lambda labels, one: one["key"] in labels,
    "DoesNotExist": lambda labels, one: one["key"] not in labels,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """What a policy asks of a pod."""

    namespace: str
    labels: Labels
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What policies are read against."""

    policies: tuple[Object, ...]
    pods: tuple[Pod, ...]
    namespaces: Mapping[str, Labels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """One of the two ways of traffic, in Kubernetes' words and in nft's."""

    field: str
    kind: str
    peers: str
    own: str
    peer: str


WAYS = (
    Direction(field="ingress", kind="Ingress", peers="from", own="daddr", peer="saddr"),
    Direction(field="egress", kind="Egress", peers="to", own="saddr", peer="daddr"),
)


def start(settings: Settings) -> None:
    """The enforcer as a process beside the cluster."""
    command = [sys.executable, "-m", "tests.cluster.netpol"]
    environ = {
        "GRAFT_CLUSTER_STATE": str(settings.state),
        "GRAFT_CLUSTER_NUMBER": str(settings.number),
        "PYTHONPATH": str(ROOT),
    }
    processes.spawn(settings, "netpol", *command, environ=environ)


def table(world: World) -> str:
    """The whole table of a node, which replaces the one before in one transaction."""
    chains, jumps = [], []
    for pod in world.pods:
        for way in WAYS:
            mine = [policy for policy in world.policies if _isolates(policy, pod, way)]
            if mine:
                name = f"{way.field}_{pod.address.replace('.', '_')}"
                rules = sorted({rule for policy in mine for rule in _rules(policy, way, world)})
                body = "".join(f"    {rule}\n" for rule in [*rules, "drop"])
                chains.append(f"  chain {name} {{\n{body}  }}\n")
                jumps.append(f"    ip {way.own} {pod.address} jump {name}\n")
    forward = "    type filter hook forward priority 10; policy accept;\n"
    forward += "    ct state established,related accept\n"
    whole = f"{''.join(chains)}  chain forward {{\n{forward}{''.join(jumps)}  }}\n"
    return f"table inet graft\ndelete table inet graft\ntable inet graft {{\n{whole}}}\n"


def selects(selector: Object, labels: Labels) -> bool:
    """Whether a label selector chooses something with these labels."""
    exact = selector.get("matchLabels") or {}
    asked = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        OPERATORS[one["operator"]](labels, one) for one in asked
    )


def observe(api: Api) -> World:
    """The policies, and, where there are any, what they are read against."""
    policies = api.list("networking.k8s.io/v1", "NetworkPolicy")
    if not policies:
        return World(policies=(), pods=(), namespaces={})
    spaces = {
        one["metadata"]["name"]: one["metadata"].get("labels") or {}
        for one in api.list("v1", "Namespace")
    }
    pods = [_pod(one) for one in api.list("v1", "Pod") if _has_address(one)]
    known = tuple(pod for pod in pods if pod.namespace in spaces)
    return World(policies=tuple(policies), pods=known, namespaces=spaces)


def enforce(settings: Settings, text: str, held: dict[int, str]) -> None:
    """Every node that has power holds this table; `held` says what each does by its process 1."""
    for node in nodes.started(settings):
        first = node.init
        if first is not None and held.get(first) != text:
            node.run("nft", "-f", "-", stdin=text)
            held[first] = text


def main() -> None:
    """Enforces until it is ended."""
    settings = Settings.read()
    api = Api.connect(settings.state / "netpol.kubeconfig")
    held: dict[int, str] = {}
    while True:
        try:
            enforce(settings, table(observe(api)), held)
        except (
            RefusedError,
            HTTPError,
            RuntimeError,
            OSError,
            subprocess.SubprocessError,
        ) as error:
            print(error, file=sys.stderr, flush=True)
        time.sleep(PAUSE)


def _isolates(policy: Object, pod: Pod, way: Direction) -> bool:
    spec = policy["spec"]
    return (
        policy["metadata"]["namespace"] == pod.namespace
        and selects(spec.get("podSelector") or {}, pod.labels)
        and way.kind in (spec.get("policyTypes") or ["Ingress"])
    )


def _rules(policy: Object, way: Direction, world: World) -> Iterator[str]:
    """What one policy allows, as nft's matches."""
    for rule in policy["spec"].get(way.field) or []:
        peers = rule.get(way.peers)
        addresses = list(_addresses(policy, way, peers, world)) if peers else [""]
        ports = [_port(one) for one in rule.get("ports") or []] or [""]
        for address, port in product(addresses, ports):
            yield " ".join(word for word in (address, port, "return") if word)


def _addresses(policy: Object, way: Direction, peers: list[Object], world: World) -> Iterator[str]:
    for peer in peers:
        if block := peer.get("ipBlock"):
            spared = ", ".join(block.get("except") or [])
            spared = f" ip {way.peer} != {{ {spared} }}" if spared else ""
            yield f"ip {way.peer} {block['cidr']}{spared}"
        elif chosen := sorted(
            {pod.address for pod in world.pods if _is_peer(policy, peer, pod, world)}
        ):
            yield f"ip {way.peer} {{ {', '.join(chosen)} }}"


def _is_peer(policy: Object, peer: Object, pod: Pod, world: World) -> bool:
    if not selects(peer.get("podSelector") or {}, pod.labels):
        return False
    if "namespaceSelector" in peer:
        return selects(peer["namespaceSelector"], world.namespaces[pod.namespace])
    return bool(pod.namespace == policy["metadata"]["namespace"])


def _port(one: Object) -> str:
    protocol = one.get("protocol", "TCP").lower()
    if "port" not in one:
        return f"meta l4proto {protocol}"
    last = f"-{one['endPort']}" if "endPort" in one else ""
    return f"{protocol} dport {one['port']}{last}"


def _has_address(one: Object) -> bool:
    status: dict[str, Any] = one["status"]
    alive = status.get("phase") in ("Pending", "Running")
    return bool(status.get("podIP")) and alive and not one["spec"].get("hostNetwork")


def _pod(one: Object) -> Pod:
    about = one["metadata"]
    labels = about.get("labels") or {}
    return Pod(namespace=about["namespace"], labels=labels, address=one["status"]["podIP"])


if __name__ == "__main__":
    main()
