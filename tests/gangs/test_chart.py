"""The operator as its users have it: by the chart, two replicas in pods, for one namespace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import pods
from tests.cluster.cluster import LocalCluster
from tests.cluster.fixtures import SPACE
from tests.cluster.given import Cluster
from tests.cluster.wait import until
from tests.gangs.arena import ENDLESS, PAIR
from tests.gangs.jobs import Applied, apply, small
from tests.gangs.measured import tell
from tests.gangs.operators import without_resident
from tests.gangs.releases import FAILOVER, Release, Steady, uids

DIAL = """
import socket, sys
for port in sys.argv[2:]:
    try:
        socket.create_connection((sys.argv[1], int(port)), timeout=3).close()
        print(port, "open")
    except OSError:
        print(port, "shut")
"""


@pytest.fixture(scope="module")
def installed(
    cluster: Cluster, crds: None, images: dict[str, str], root: Path, pytestconfig: pytest.Config
) -> Iterator[Release]:
    """Nobody else runs jobs meanwhile."""
    with without_resident(pytestconfig):
        release = Release.make(cluster, images, root)
        try:
            release.install()
            yield release
        finally:
            release.remove()


@pytest.fixture
def release(installed: Release, request: pytest.FixtureRequest) -> Iterator[Release]:
    """The release, to which nothing that it does is forbidden."""
    request.node.stash[SPACE] = installed.team
    yield installed
    assert "forbidden" not in installed.logs()


@pytest.fixture(scope="module")
def steady(installed: Release) -> Steady:
    """A gang of two that trains on while things happen to the operator."""
    applied = apply(installed.team, small("steady", workers=PAIR, training=ENDLESS))
    applied.step(20)
    return Steady(applied, installed.store, uids(applied))


def test_the_first_job_of_a_user_runs_to_its_end(release: Release, root: Path):
    elsewhere = apply(release.home, small("elsewhere"))
    release.team.kubectl("apply", "-f", str(root / "examples" / "01-classify" / "job.yaml"))
    status = Applied(space=release.team, name="reviews").phase("Complete")
    assert status["artefact"]["digest"].startswith("sha256:")
    assert elsewhere.status == {}, "a namespace that is not the operator's"


def test_another_replica_leads_when_the_leader_dies(release: Release, steady: Steady):
    old = until(release.leader, "a leader")
    began = time.monotonic()
    release.silence(old)
    release.home.kubectl("delete", "pod", old, "--grace-period=0", "--force")
    release.next_leader(old)
    tell("from the death of the leading replica to the next leader", time.monotonic() - began)
    steady.goes_on()


def test_a_leader_that_is_asked_to_end_hands_over(release: Release, steady: Steady):
    old = until(release.leader, "a leader")
    release.home.kubectl("delete", "pod", old, "--wait=false")
    began = time.monotonic()
    release.next_leader(old)
    tell("from the deletion of the leading replica to the next leader", time.monotonic() - began)
    steady.goes_on()


def test_an_upgrade_touches_no_pod_of_a_running_job(release: Release, steady: Steady):
    replicas = release.replicas()
    release.install("logLevel=DEBUG")
    until(
        lambda: not replicas & release.replicas(), "the end of the old replicas", seconds=FAILOVER
    )
    steady.goes_on()


def test_the_operator_speaks_to_nobody_whom_its_policy_does_not_name(
    release: Release, steady: Steady, local_cluster: LocalCluster, base_image: str
):
    settings = local_cluster.settings
    called = (settings.host, str(settings.api_port), "7070")
    outsider = pods.restricted("outsider", base_image, DIAL)
    outsider["spec"]["containers"][0]["command"] += called
    release.home.apply(outsider)
    found = release.home.ended("outsider")
    assert found == ("Succeeded", f"{settings.api_port} open\n7070 open\n")
    told = release.home.kubectl("exec", release.leader(), "--", "python", "-c", DIAL, *called)
    assert told == f"{settings.api_port} open\n7070 shut\n"
    step = steady.goes_on()["progress"]["step"]
    steady.applied.step(step + 1)  # workers are asked how far they are


def test_a_job_outlives_the_release_and_the_next_one_takes_it_over(
    release: Release, steady: Steady
):
    assert release.why("steady") == "Running"
    key = release.key()
    release.uninstall()
    steady.goes_on()
    until(lambda: release.why("steady") == "OperatorSilent", "graft why to miss the operator")
    release.install()
    assert release.key() == key, "without which workers that run would not take a word from it"
    until(release.leader, "a leader")
    step = steady.goes_on()["progress"]["step"]
    steady.applied.step(step + 1)
    steady.applied.patch(run={"suspend": True})
    assert steady.applied.phase("Suspended")["checkpoint"]["step"] > step
