"""A server that plays the API server, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graft_operator.cluster.connection import Connection
from tests.shell.api_server import ApiServer, connected, serving


@pytest.fixture
def api_server() -> Iterator[ApiServer]:
    """Empty; two objects on a page."""
    with serving(page=2) as made:
        yield made


@pytest.fixture
def connection(api_server: ApiServer, tmp_path: Path) -> Iterator[Connection]:
    """To that server."""
    with connected(api_server.server_port, tmp_path) as made:
        yield made
