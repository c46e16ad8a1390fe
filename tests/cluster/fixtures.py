"""Fixtures of the tests that need a cluster: `cluster`, `local_cluster`, `namespace` and more."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.cluster import bases, kwok
from tests.cluster import images as builder
from tests.cluster.api import Api
from tests.cluster.cluster import LocalCluster
from tests.cluster.given import Cluster
from tests.cluster.missing import missing
from tests.cluster.namespaces import Namespace
from tests.cluster.settings import Settings
from tests.lacking import lacking

GIVEN = "GRAFT_TEST_KUBECONFIG"
KEEP = "GRAFT_TEST_KEEP"
FakeNodes = Callable[[int], list[str]]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A Kubernetes cluster: the one of GRAFT_TEST_KUBECONFIG, or one that is started here.

    One that runs already is used and left up; so is one with GRAFT_TEST_KEEP=1. One that is started
    begins empty, whatever an earlier one may have left when it ended.
    """
    if given := os.environ.get(GIVEN):
        yield from _connected(Path(given), None)
        return
    if why := missing():
        lacking(why)
    local = LocalCluster(settings=Settings.read())
    found = local.running
    if not found:
        local.reset()
    local.up()
    yield from _connected(local.settings.kubeconfig, local)
    if not found and os.environ.get(KEEP) != "1":
        local.reset()


@pytest.fixture(scope="session")
def local_cluster(cluster: Cluster) -> LocalCluster:
    """The cluster where its nodes and its control plane may be broken and mended."""
    if cluster.local is None:
        lacking(f"the cluster of {GIVEN} is not ours to break: no power cuts, cables, audit log")
    return cluster.local


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    """A namespace of the test's own, under Pod Security `restricted`, with a store where it can.

    It is deleted afterwards and not waited for.
    """
    space = Namespace.make(cluster, request.node.name)
    request.node.stash[SPACE] = space
    if cluster.shared is not None:
        space.store()
    yield space
    space.remove()


@pytest.fixture(scope="session")
def fake_nodes(local_cluster: LocalCluster, cluster: Cluster) -> FakeNodes:
    """Called with a number it answers with the names of so many fake nodes."""

    def make(count: int) -> list[str]:
        return kwok.fake_nodes(local_cluster.settings, cluster.api, count)

    return make


@pytest.fixture(scope="session")
def worker_image(cluster: Cluster) -> str:
    """Reference of the worker's image, from the working tree; nodes hold all but its last layer."""
    return _image(cluster, "worker")


@pytest.fixture(scope="session")
def operator_image(cluster: Cluster) -> str:
    """Reference of the operator's image, from the working tree."""
    return _image(cluster, "operator")


@pytest.fixture(scope="session")
def serve_image(cluster: Cluster) -> str:
    """Reference of the model server's image, from the working tree."""
    return _image(cluster, "serve")


@pytest.fixture(scope="session")
def images(worker_image: str, operator_image: str, serve_image: str) -> dict[str, str]:
    """References of the images by their names."""
    return {"worker": worker_image, "operator": operator_image, "serve": serve_image}


@pytest.fixture(scope="session")
def base_image(local_cluster: LocalCluster) -> str:
    """Reference of a small image with Python and nothing else."""
    return bases.reference(local_cluster.settings, bases.BASE)


SPACE = pytest.StashKey[Namespace]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds what the namespace can tell to the report of a test that failed."""
    report = yield
    space = item.stash.get(SPACE, None)
    if space is not None and report.when == "call" and report.failed:
        report.sections.extend(space.evidence())
    return report


def _connected(kubeconfig: Path, local: LocalCluster | None) -> Iterator[Cluster]:
    api = Api.connect(kubeconfig)
    yield Cluster(kubeconfig=kubeconfig, api=api, local=local)
    api.close()


def _image(cluster: Cluster, name: str) -> str:
    variable = f"GRAFT_TEST_{name.upper()}_IMAGE"
    if cluster.local is None and variable not in os.environ:
        lacking(f"set {variable} to an image that the cluster of {GIVEN} can pull")
    settings = cluster.local.settings if cluster.local else None
    return builder.build_and_push(name, settings)


__all__ = [
    "base_image",
    "cluster",
    "fake_nodes",
    "images",
    "local_cluster",
    "namespace",
    "operator_image",
    "serve_image",
    "worker_image",
]
