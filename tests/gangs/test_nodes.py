"""A node of a gang is drained, loses its power or its cable; the training goes on elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.cluster import LocalCluster, is_ready
from tests.cluster.namespaces import Namespace
from tests.cluster.nodes import Node
from tests.gangs.arena import Arena, disturb
from tests.gangs.jobs import Applied

IMPATIENT = {"deadlines": {"nodeLost": "5s"}}


def test_a_gang_survives_the_drain_of_a_node(arena: Arena, local_cluster: LocalCluster):
    applied = arena.pair("drained")
    name = ""

    def drain() -> None:
        nonlocal name
        name = worker_node(applied)
        own = f"--pod-selector=graft.dev/job={applied.name}"
        arena.space.kubectl("drain", name, own, "--delete-emptydir-data", "--force")

    try:
        disturb(applied, arena.store, "the drain of a node", drain)
        status = arena.ends_as_in_peace(applied)
    finally:
        arena.space.kubectl("uncordon", name)
    assert {loss["class"] for loss in status["restarts"]["history"]} == {"Disruption"}


def test_a_gang_survives_a_power_cut(arena: Arena, local_cluster: LocalCluster):
    applied = arena.pair("dark", run=IMPATIENT)
    with mended(arena.space, local_cluster, applied) as lost:
        disturb(applied, arena.store, "a node's power cut, nodeLost 5 s,", lambda: lost().kill())
    status = arena.ends_as_in_peace(applied)
    (loss,) = status["restarts"]["history"]
    assert (loss["class"], loss["reason"]) == ("Disruption", "NodeLost")


def test_a_gang_survives_a_cut_cable(arena: Arena, local_cluster: LocalCluster):
    applied = arena.pair("unplugged", run=IMPATIENT)
    with mended(arena.space, local_cluster, applied) as lost:
        disturb(applied, arena.store, "a node's cut cable, nodeLost 5 s,", lambda: lost().cut())
    status = arena.ends_as_in_peace(applied)
    (loss,) = status["restarts"]["history"]
    assert (loss["class"], loss["reason"]) == ("Disruption", "NodeLost")


def worker_node(applied: Applied) -> str:
    """A node of the gang; where they differ, not the one of its rendezvous store."""
    named = {str(pod["spec"]["nodeName"]) for pod in applied.pods()}
    store = str(applied.pods("rendezvous")[0]["spec"]["nodeName"])
    return min(named - {store} or named)


@contextmanager
def mended(space: Namespace, local: LocalCluster, applied: Applied) -> Iterator[object]:
    """Chooses a node of the gang when called; afterwards both nodes are as before."""
    chosen: list[Node] = []

    def lost() -> Node:
        chosen.append(local.node_named(worker_node(applied)))
        return chosen[0]

    try:
        yield lost
    finally:
        for node in chosen:
            node.start()
            node.join()
            space.api.until(("v1", "Node", node.name, ""), is_ready, seconds=60)
