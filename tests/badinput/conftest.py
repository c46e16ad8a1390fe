from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.badinput.desk import Desk, lay


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A tiny job with an empty store."""
    return lay(tmp_path)


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A tiny job that has run to its end; nobody may write to it."""
    desk = lay(tmp_path_factory.mktemp("finished"))
    result = desk.run("--set", "metadata.name=finished")
    assert result.returncode == 0, result.stderr
    return desk


@pytest.fixture
def used_desk(finished_once: Desk, tmp_path: Path) -> Desk:
    """A tiny job whose store holds a finished job of the same data, named `finished`."""
    shutil.copytree(finished_once.store, tmp_path / "store")
    return lay(tmp_path)
