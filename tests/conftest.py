"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ("tests.cluster.fixtures",)

ROOT = Path(__file__).parent.parent
OF_A_CLUSTER = {"cluster", "kubeconfig"}
LONG = ("e2e", "benchmarks", "examples")  # folders whose tests train


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that need a cluster; they come last, so that it runs for them alone.

    Of the others those that take long come first: none is left over when all else is done.
    """
    for item in items:
        if OF_A_CLUSTER & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.cluster)
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("cluster"):
        return 2
    return int(item.path.relative_to(ROOT / "tests").parts[0] not in LONG)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data sets; the test is skipped, with the reason, where it is absent."""
    folder = Path(os.environ.get("GRAFT_DATA", ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"real data sets not found in {folder}: set GRAFT_DATA to their folder")
    return folder
