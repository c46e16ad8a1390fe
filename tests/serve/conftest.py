"""Artefacts and a server that several tests share."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serve import models
from tests.serve.running import LOADING, Running, running


@pytest.fixture(scope="session")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that judges single texts, of which it reads 12 tokens."""
    return models.classify(tmp_path_factory.mktemp("classify"))


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that judges pairs."""
    return models.match(tmp_path_factory.mktemp("match"))


@pytest.fixture(scope="session")
def loaded(artefact: Path) -> frozenset[str]:
    """Every module that a server has loaded when its model is ready."""
    told = subprocess.run(
        [sys.executable, "-c", LOADING, str(artefact)], capture_output=True, text=True, check=True
    )
    return frozenset(json.loads(told.stdout))


@pytest.fixture(scope="session")
def server(artefact: Path) -> Iterator[Running]:
    """A server of the first, with the usual limits."""
    with running(artefact) as found:
        yield found
