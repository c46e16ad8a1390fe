"""A cluster for the tests that install the chart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.charts.clusters import Space
from tests.gangs.operators import without_resident
from tests.lacking import lacking


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """Of a cluster whose administrator the tests are: a given one, or the tests' own."""
    if given := os.environ.get("GRAFT_TEST_KUBECONFIG"):
        return Path(given)
    try:
        return Path(request.getfixturevalue("cluster").kubeconfig)
    except pytest.FixtureLookupError:
        lacking("no cluster: set GRAFT_TEST_KUBECONFIG to the kubeconfig of one")


@pytest.fixture
def space(kubeconfig: Path, pytestconfig: pytest.Config) -> Iterator[Space]:
    """A namespace of the test's own, which enforces Pod Security `restricted`."""
    space = Space.make(kubeconfig)
    with without_resident(pytestconfig):
        yield space
        space.remove()
