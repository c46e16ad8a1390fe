"""A cluster with an operator in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.fixtures import SPACE
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.gangs import measured
from tests.gangs.arena import LONG, PAIR, Arena, last_loss
from tests.gangs.jobs import apply, small
from tests.gangs.operators import RESIDENT, Operator

SETTINGS = {
    "LEADER_ELECTION": "false",
    "PROGRESS_SECONDS": "1",
    "STATUS_SECONDS": "1",
    "COLLECTIVE_SECONDS": "20",
    "KEEP_ALIVE_SECONDS": "1",
    "GRACE_SECONDS": "30",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was measured, on a machine that did much else."""
    if measured.TOLD:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(measured.TOLD))


@pytest.fixture(scope="session")
def crds(cluster: Cluster, root: Path) -> None:
    """The four kinds are known to the server."""
    for path in sorted((root / "crds").glob("*.yaml")):
        cluster.api.apply(path.read_text())
    for plural in ("pretrainjobs", "transferjobs", "distilljobs", "servedeployments"):
        cluster.kubectl(
            "wait", "--for=condition=Established", f"crd/{plural}.graft.dev", "--timeout=60s"
        )


@pytest.fixture(scope="session")
def pod_images(worker_image: str, serve_image: str) -> dict[str, str]:
    """Settings of an operator: the images of the pods that it makes."""
    return {"WORKER_IMAGE": worker_image, "SERVE_IMAGE": serve_image}


@pytest.fixture(scope="session")
def operator(
    cluster: Cluster,
    crds: None,
    pod_images: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Operator]:
    """An operator outside of the cluster, for every namespace; always running between tests.

    Tests that bring one of their own, or play it, run `without_resident`.
    """
    folder = tmp_path_factory.mktemp("operator")
    key = folder / "key"
    key.write_text("a key for tests\n")
    own = pod_images | {"CONTROL_KEY_FILE": str(key)}
    made = Operator(kubeconfig=cluster.kubeconfig, folder=folder, settings=SETTINGS | own)
    made.start()
    pytestconfig.stash[RESIDENT] = made
    yield made
    del pytestconfig.stash[RESIDENT]
    made.kill()


@pytest.fixture
def space(namespace: Namespace, operator: Operator) -> Namespace:
    """A namespace whose jobs are run."""
    namespace.logs.append(operator.log)
    return namespace


@pytest.fixture
def store(space: Namespace) -> Path:
    """The folder behind the namespace's store."""
    return space.store()


@pytest.fixture
def arena(peace: Arena, request: pytest.FixtureRequest) -> Arena:
    """Where gangs are disturbed; one that was not is already through."""
    request.node.stash[SPACE] = peace.space
    return peace


@pytest.fixture(scope="session")
def peace(cluster: Cluster, operator: Operator) -> Iterator[Arena]:
    """The undisturbed gang."""
    space = Namespace.make(cluster, "gangs")
    space.logs.append(operator.log)
    store = space.store()
    peace = apply(space, small("peace", workers=PAIR, training=LONG))
    peace.phase("Complete")
    yield Arena(space, store, last_loss(peace, store))
    space.remove()
