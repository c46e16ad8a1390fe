"""A cluster for the tests that install the chart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.charts.clusters import Space


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """The kubeconfig of a cluster whose administrator the tests are."""
    if given := os.environ.get("GRAFT_TEST_KUBECONFIG"):
        return Path(given)
    if os.environ.get("GRAFT_CI") == "1":
        pytest.fail("GRAFT_TEST_KUBECONFIG names no cluster", pytrace=False)
    pytest.skip("no cluster: set GRAFT_TEST_KUBECONFIG to the kubeconfig of one")


@pytest.fixture
def space(kubeconfig: Path) -> Iterator[Space]:
    """A namespace of the test's own, which enforces Pod Security `restricted`."""
    space = Space.make(kubeconfig)
    yield space
    space.remove()
