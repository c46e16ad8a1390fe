from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.worker.mirror.buckets import Server, serving


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an empty bucket."""
    with serving(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def keys(s3: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, which this process has the keys of."""
    for name, value in s3.environ.items():
        monkeypatch.setenv(name, value)
    return s3
