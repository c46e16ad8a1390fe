"""A namespace of a real API server in which the test plays the operator."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.cluster.kubelet import Kubelet
from tests.cli.cluster.stage import Stage, install
from tests.gangs.operators import without_resident
from tests.lacking import lacking


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest, root: Path) -> Path:
    """Of a cluster whose administrator the tests are, and which knows our kinds."""
    found = _given(request)
    install(found, root / "crds")
    return found


@pytest.fixture
def stage(kubeconfig: Path, tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Stage]:
    """A namespace of the test's own, which its kubeconfig names."""
    opened = Stage.open(kubeconfig, tmp_path, namespace=f"cli-{secrets.token_hex(4)}")
    with without_resident(pytestconfig):
        yield opened
        opened.close()


@pytest.fixture
def kubelet(kubeconfig: Path, stage: Stage, tmp_path: Path) -> Iterator[Kubelet]:
    """A node of the test's own that serves the logs which the test gives it."""
    authority = kubeconfig.parent / "pki"
    if not (authority / "ca.key").is_file():
        pytest.skip(f"no {authority / 'ca.key'}: the API server would not trust our kubelet")
    with Kubelet.serving(tmp_path, authority) as served:
        stage.node(served.node, port=served.port)
        yield served
        stage.forget("Node", served.node)


def _given(request: pytest.FixtureRequest) -> Path:
    if given := os.environ.get("GRAFT_TEST_KUBECONFIG"):
        return Path(given)
    try:
        return Path(request.getfixturevalue("cluster").kubeconfig)
    except pytest.FixtureLookupError:
        lacking("no cluster: set GRAFT_TEST_KUBECONFIG to the kubeconfig of one")
