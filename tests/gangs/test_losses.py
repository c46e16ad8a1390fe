"""A gang loses a part of itself and ends with the loss of one that nobody disturbed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.cluster import LocalCluster, is_ready
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.gangs.jobs import Applied, Object, apply, small
from tests.gangs.operators import Operator

LONG = {"duration": {"epochs": 40}}
PAIR = {"desired": 2}
KILL = "import os, signal; os.kill({}, signal.SIGKILL)"
FIND = (
    "import glob; print([p.split('/')[2] for p in glob.glob('/proc/[0-9]*/cmdline')"
    " if b'graft_worker\\x00train' in open(p, 'rb').read()][0])"
)


@dataclass(frozen=True, slots=True)
class Arena:
    """A namespace with its store, and the final loss of a pair that nobody disturbed."""

    space: Namespace
    store: Path
    loss: float

    def ends_as_in_peace(self, applied: Applied) -> Object:
        status = applied.phase("Complete")
        assert last_loss(applied, self.store) == self.loss
        return status


@pytest.fixture(scope="module")
def arena(cluster: Cluster, operator: Operator) -> Iterator[Arena]:
    space = Namespace.make(cluster, "gangs")
    store = space.store()
    peace = apply(space, small("peace", workers=PAIR, training=LONG))
    peace.phase("Complete")
    yield Arena(space, store, last_loss(peace, store))
    space.remove()


def last_loss(applied: Applied, store: Path) -> float:
    losses = applied.losses(store)
    return losses[max(losses)]


def disturb(applied: Applied, fault: Callable[[], None], *, attempt: int = 2) -> None:
    """Does it in the middle of the training and prints how long the next step took."""
    before = applied.step(60)["progress"]["step"]
    fault()
    began = time.monotonic()
    applied.step(before, attempt=attempt)
    print(f"from the fault to the next step: {time.monotonic() - began:.1f} s")


def kill_a_process(space: Namespace, pod: str) -> None:
    found = space.kubectl("exec", pod, "--", "python", "-c", FIND).strip()
    space.kubectl("exec", pod, "--", "python", "-c", KILL.format(found))


def test_a_gang_survives_kill_9_of_a_process(arena: Arena):
    applied = apply(arena.space, small("killed", workers=PAIR, training=LONG))
    before = applied.step(60)["progress"]["step"]
    kill_a_process(arena.space, applied.pod(1))
    began = time.monotonic()
    applied.step(before + 1)
    print(f"from kill -9 to the next step: {time.monotonic() - began:.1f} s")
    assert "user" not in (arena.ends_as_in_peace(applied).get("restarts") or {})


def test_a_fixed_gang_survives_the_deletion_of_rank_0s_pod(arena: Arena):
    applied = apply(arena.space, small("deleted", workers=PAIR, training=LONG))
    disturb(applied, lambda: remove(arena.space, applied.pod(0)))
    restarts = arena.ends_as_in_peace(applied)["restarts"]
    assert restarts["disruption"] >= 1
    assert "user" not in restarts


def test_a_gang_survives_the_loss_of_its_store(arena: Arena):
    applied = apply(arena.space, small("stray", workers=PAIR, training=LONG))
    disturb(applied, lambda: remove(arena.space, "stray-r1"))
    status = arena.ends_as_in_peace(applied)
    assert status["restarts"]["history"][0]["reason"] == "StoreLost"


def remove(space: Namespace, pod: str) -> None:
    space.kubectl("delete", "pod", pod, "--wait=false")


def test_an_elastic_gang_goes_on_without_a_lost_member(space: Namespace, store: Path):
    workers = {"min": 1, "max": 3, "desired": 2}
    applied = apply(space, small("elastic", workers=workers, training=LONG))
    before = applied.step(60)["progress"]["step"]
    victim = applied.pod(1)
    began = time.monotonic()
    space.kubectl("delete", "pod", victim, "--grace-period=0", "--force")
    applied.step(before + 1)
    print(f"from the loss of a pod to the next step of the rest: {time.monotonic() - began:.1f} s")
    status = applied.phase("Complete")
    assert status["attempt"] == 1
    assert status["progress"]["step"] == status["progress"]["totalSteps"]


def test_a_gang_survives_a_power_cut_of_a_node(
    space: Namespace, store: Path, local_cluster: LocalCluster
):
    run = {"deadlines": {"nodeLost": "5s"}}
    applied = apply(space, small("dark", workers=PAIR, training=LONG, run=run))
    before = applied.step(60)["progress"]["step"]
    name = {p["spec"]["nodeName"] for p in applied.pods()} - {node_of(applied, "rendezvous")}
    lost = local_cluster.node_named(name.pop() if name else node_of(applied, "worker"))
    began = time.monotonic()
    lost.kill()
    try:
        applied.step(before, attempt=2, seconds=180)
        print(f"from the power cut to the next step: {time.monotonic() - began:.1f} s")
    finally:
        lost.start()
        what = ("v1", "Node", lost.name, "")
        space.api.until(what, is_ready, seconds=60)
    status = applied.phase("Complete")
    assert status["restarts"]["history"][0]["class"] == "Disruption"


def node_of(applied: Applied, role: str) -> str:
    return str(applied.pods(role)[0]["spec"]["nodeName"])


def test_nothing_happens_to_a_gang_while_the_operator_or_the_server_is_away(
    space: Namespace, store: Path, operator: Operator, local_cluster: LocalCluster
):
    applied = apply(space, small("steady", training=LONG))
    applied.step(40)
    operator.kill()
    local_cluster.restart_api_server()
    operator.start()
    status = applied.phase("Complete")
    assert status["attempt"] == 1
    assert not status.get("restarts")


def test_a_killed_operator_goes_on_where_it_was(space: Namespace, store: Path, operator: Operator):
    applied = apply(space, small("again"))
    until(lambda: applied.pods("prepare"), "the prepare pod")
    operator.kill()
    operator.start()
    applied.step(1)
    operator.kill()
    operator.start()
    status = applied.phase("Complete")
    assert status["attempt"] == 1
    names = [j["metadata"]["name"] for j in space.api.list("batch/v1", "Job", space.name)]
    assert sorted(names) == ["again-p1", "again-t1"]
