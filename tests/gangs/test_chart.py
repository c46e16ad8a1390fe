"""The operator as its users have it: by the chart, two replicas in pods, for one namespace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.cluster.fixtures import SPACE
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.gangs.arena import LONG, PAIR
from tests.gangs.jobs import apply, small
from tests.gangs.measured import tell
from tests.gangs.operators import Operator

CHART = Path("charts") / "graft"
LEASE = ("coordination.k8s.io/v1", "Lease", "graft-operator")
REPLICAS = "app.kubernetes.io/component=operator"
FAILOVER = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An installed chart: `home` is its namespace, `team` the one whose jobs it runs."""

    cluster: Cluster
    home: Namespace
    team: Namespace
    store: Path
    chart: Path
    values: tuple[str, ...]

    def install(self, *more: str) -> None:
        """Installs or upgrades, and waits until every replica runs."""
        options = [word for value in (*self.values, *more) for word in ("--set", value)]
        where = ("--namespace", self.home.name, "--timeout", "3m")
        self.cluster.helm("upgrade", "--install", "graft", str(self.chart), *where, *options)
        self.home.kubectl("rollout", "status", "deployment/graft", "--timeout=180s")

    def leader(self) -> str:
        """The pod that holds the Lease; empty where none does."""
        lease = self.cluster.api.find(*LEASE, self.home.name)
        return str(((lease or {}).get("spec") or {}).get("holderIdentity") or "")

    def replicas(self) -> set[str]:
        """UIDs of the operator's pods."""
        return {pod["metadata"]["uid"] for pod in self.home.pods(REPLICAS)}

    def logs(self) -> str:
        """What the replicas that run have said."""
        return self.home.kubectl("logs", f"--selector={REPLICAS}", "--tail=-1", "--prefix")


@pytest.fixture(scope="module")
def installed(
    cluster: Cluster, operator: Operator, images: dict[str, str], root: Path
) -> Iterator[Release]:
    """The operator of the other tests, which watches every namespace, rests meanwhile."""
    home, team = Namespace.make(cluster, "release"), Namespace.make(cluster, "team")
    named = [
        f"{value}.{part}={text}"
        for value, image in (("image", images["operator"]), ("worker.image", images["worker"]))
        for part, text in zip(("repository", "tag"), image.rsplit(":", 1), strict=True)
    ]
    own = ("crds.install=false", "replicas=2", f"namespaces={{{team.name}}}")
    release = Release(
        cluster=cluster,
        home=home,
        team=team,
        store=team.store(),
        chart=root / CHART,
        values=(*named, *own),
    )
    operator.kill()
    try:
        release.install()
        yield release
    finally:
        cluster.helm("uninstall", "graft", "--namespace", home.name, "--ignore-not-found")
        operator.start()
        home.remove()
        team.remove()


@pytest.fixture
def release(installed: Release, request: pytest.FixtureRequest) -> Release:
    """The release, whose namespace of jobs tells what happened where the test fails."""
    request.node.stash[SPACE] = installed.team
    return installed


def test_the_first_job_of_a_user_runs_to_its_end(release: Release, root: Path):
    job = yaml.safe_load((root / "examples" / "01-classify" / "job.yaml").read_text())
    job["spec"]["training"]["duration"] = {"epochs": 1}
    elsewhere = apply(release.home, small("elsewhere"))
    status = apply(release.team, job).phase("Complete")
    assert status["artefact"]["digest"].startswith("sha256:")
    assert elsewhere.status == {}, "a namespace that is not the operator's"
    assert "forbidden" not in release.logs()


def test_another_replica_leads_when_the_leader_dies_and_the_job_does_not_notice(release: Release):
    applied = apply(release.team, small("steady", workers=PAIR, training=LONG))
    applied.step(40)
    pods = [pod["metadata"]["uid"] for pod in applied.pods()]
    old = until(release.leader, "a leader")
    release.home.kubectl("delete", "pod", old, "--grace-period=0", "--force")
    began = time.monotonic()
    until(lambda: release.leader() not in ("", old), "another leader", seconds=FAILOVER)
    tell("from the death of the leading replica to the next leader", time.monotonic() - began)
    status = applied.phase("Complete")
    assert status["attempt"] == 1
    assert not status.get("restarts")
    assert [pod["metadata"]["uid"] for pod in applied.pods()] == pods
    names = sorted(
        one["metadata"]["name"]
        for one in release.team.api.list("batch/v1", "Job", release.team.name)
    )
    assert names == ["reviews-p1", "reviews-t1", "steady-p1", "steady-t1"]


def test_an_upgrade_touches_no_pod_of_a_running_job(release: Release):
    applied = apply(release.team, small("upgraded", workers=PAIR, training=LONG))
    applied.step(40)
    pods = [pod["metadata"]["uid"] for pod in applied.pods()]
    replicas = release.replicas()
    release.install("logLevel=DEBUG")
    status = applied.phase("Complete")
    until(
        lambda: not replicas & release.replicas(), "the end of the old replicas", seconds=FAILOVER
    )
    assert status["attempt"] == 1
    assert not status.get("restarts")
    assert [pod["metadata"]["uid"] for pod in applied.pods()] == pods


def test_a_leader_that_is_asked_to_end_hands_over_at_once(release: Release):
    old = until(release.leader, "a leader")
    release.home.kubectl("delete", "pod", old, "--wait=false")
    began = time.monotonic()
    until(lambda: release.leader() not in ("", old), "another leader", seconds=FAILOVER)
    tell("from the deletion of the leading replica to the next leader", time.monotonic() - began)
