"""Jobs that have settled cost the API server no write."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import audit, kwok
from tests.cluster.audit import Who
from tests.cluster.cluster import LocalCluster
from tests.cluster.fixtures import FakeNodes
from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.gangs.jobs import Object, apply, small

WATCHED = 60.0  # seconds, during which nobody writes


def test_settled_jobs_are_written_no_more(
    space: Namespace, store: Path, local_cluster: LocalCluster, fake_nodes: FakeNodes
):
    fake_nodes(1)
    apply(space, small("done", training={"duration": {"steps": 10}})).phase("Complete")
    apply(space, small("paused", run={"suspend": True})).phase("Suspended")
    apply(space, bad("wrong")).failed()
    apply(space, small("queued", run={"queue": "team-a"})).phase("Queued")
    large = {"resources": {"cpu": "900", "memory": "1Gi"}}
    apply(space, small("large", workers=large)).phase("Pending")
    preparing = apply(space, small("long", workers={"podTemplate": on_fake_nodes()}))
    preparing.until(lambda _: ready(space, "long-p1"), "its pod on the fake node")
    settled = audit.now()

    def quiet_for_long_enough() -> bool:
        nonlocal settled
        wrote = [one.at for one in own_requests(local_cluster, space) if one.writes]
        settled = max([settled, *wrote])
        return (audit.now() - settled).total_seconds() >= WATCHED

    # The last writes of settling may come late; one that comes again and again never ends this.
    until(quiet_for_long_enough, "a minute without a write", seconds=150, pause=2.0)
    assert [one for one in own_requests(local_cluster, space) if not one.writes]


def own_requests(local: LocalCluster, space: Namespace) -> list[audit.Request]:
    """What the operator asked for in the namespace."""
    who = Who(agent="graft-operator", namespace=space.name)
    return list(audit.requests(local.settings, who))


def bad(name: str) -> Object:
    job = small(name)
    job["spec"]["app"] = {"name": "chat"}
    return job


def on_fake_nodes() -> Object:
    """Pods that run there for longer than the test."""
    notes = {"annotations": {"graft.dev/fake-seconds": "100h"}}
    return {"metadata": notes, "spec": kwok.PLACE}


def ready(space: Namespace, job: str) -> bool:
    found = space.api.find("batch/v1", "Job", job, space.name) or {}
    return bool((found.get("status") or {}).get("ready"))
