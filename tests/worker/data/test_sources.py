"""URIs become files: folders, globs, bundles, examples, web addresses."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from graft_api.errors import DataError
from graft_worker.data import reading, sources
from tests.worker.data.roles import selection


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with two data files and what is to be left out."""
    for name in ("b.tsv", "a.tsv", ".hidden", "_SUCCESS", "mit Leerzeichen ü.tsv"):
        (tmp_path / name).write_text(f"text\n{name}\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.tsv").write_text("text\nc\n")
    (tmp_path / "all.list_csv").write_text("b.tsv\n\ndeeper/c.tsv\n")
    return tmp_path


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        pytest.param("a.tsv", ["a.tsv"], id="a file"),
        pytest.param("mit Leerzeichen ü.tsv", ["mit Leerzeichen ü.tsv"], id="space and umlaut"),
        pytest.param("*.tsv", ["a.tsv", "b.tsv", "mit Leerzeichen ü.tsv"], id="a glob, by name"),
        pytest.param("**/[ac].tsv", ["a.tsv", "deeper/c.tsv"], id="a glob over folders"),
        pytest.param("deeper", ["deeper/c.tsv"], id="a folder"),
        pytest.param("all.list_csv", ["b.tsv", "deeper/c.tsv"], id="a bundle"),
    ],
)
@pytest.mark.parametrize("scheme", ["", "file://"], ids=["as a path", "as a URI"])
def test_what_a_uri_names(files: Path, scheme: str, uri: str, expected: list[str]) -> None:
    found = sources.resolve(selection(f"{scheme}{files}/{uri}"))
    assert [os.path.relpath(source.uri, files) for source in found] == expected


def test_a_folder_gives_its_visible_files_by_name(files: Path) -> None:
    (files / "all.list_csv").unlink()
    names = [Path(source.uri).name for source in sources.resolve(selection(files))]
    assert names == ["a.tsv", "b.tsv", "mit Leerzeichen ü.tsv"]


def test_several_uris_are_read_in_their_order(files: Path) -> None:
    rows = reading.read(selection(files / "b.tsv", files / "a.tsv"))
    assert [row.values["text"] for row in rows] == ["b.tsv", "a.tsv"]


def test_examples_are_part_of_the_worker() -> None:
    path = sources.local_path("example://reviews/train.tsv")
    assert path.parts[-3:] == ("example_data", "reviews", "train.tsv")
    with pytest.raises(DataError, match="leads out of the examples"):
        sources.local_path("example://../config.py")


def test_the_digest_is_of_the_stored_bytes_in_order(files: Path) -> None:
    found = sources.resolve(selection(files / "a.tsv", files / "b.tsv"))
    expected = (files / "a.tsv").read_bytes() + (files / "b.tsv").read_bytes()
    assert sources.digest(found) == hashlib.sha256(expected).hexdigest()


@pytest.mark.parametrize(
    ("uri", "message", "hint"),
    [
        pytest.param(
            "{0}/a.tvs", "{0}/a.tvs: no such file", "did you mean a.tsv, b.tsv in {0}?", id="a typo"
        ),
        pytest.param(
            "{0}/none/x", "{0}/none/x: no such file", "{0} holds", id="a folder that is not there"
        ),
        pytest.param(
            "{0}/a*.csv",
            "{0}/a*.csv: no file matches",
            "did you mean a.tsv",
            id="a glob of nothing",
        ),
        pytest.param(
            "{0}/empty",
            "{0}/empty: the folder holds no file",
            "name a file or another folder",
            id="an empty folder",
        ),
        pytest.param(
            "{0}/loop",
            "{0}/loop: cannot be read: Too many levels of symbolic links",
            "check the path and its permissions",
            id="a symlink loop",
        ),
        pytest.param(
            "/dev/null",
            "/dev/null: is no regular file",
            "give a file, a folder or a glob",
            id="no file",
        ),
        pytest.param(
            "{0}/bad.list_csv",
            "{0}/bad.list_csv:2: {0}/zzz: no such file",
            "{0} holds",
            id="a bundle with a missing file",
        ),
        pytest.param(
            "{0}/own.list_csv",
            "{0}/own.list_csv:1: a bundle names files, not another bundle",
            "",
            id="a bundle of bundles",
        ),
        pytest.param(
            "pvc://claim/x",
            "pvc://claim/x: pvc:// is mounted by the operator and cannot be read here",
            "name a local path, or submit the job to a cluster",
            id="a claim of the cluster",
        ),
        pytest.param(
            "gopher://x/y",
            "gopher://x/y: unknown scheme 'gopher'",
            "give a path, file://, example://, https://, s3://",
            id="an unknown scheme",
        ),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, uri: str, message: str, hint: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    for name, content in [
        ("a.tsv", ""),
        ("b.tsv", ""),
        ("bad.list_csv", "a.tsv\nzzz\n"),
        ("own.list_csv", "own.list_csv\n"),
    ]:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError) as caught:
        sources.resolve(selection(uri.format(tmp_path)))
    assert caught.value.message == message.format(tmp_path)
    assert caught.value.hint.startswith(hint.format(tmp_path))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def web(files: Path) -> Iterator[str]:
    """The folder behind a web server."""
    (files / "z.tsv.gz").write_bytes(gzip.compress(b"text\nz\n"))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(files))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_file_on_the_web_is_read(web: str) -> None:
    rows = list(reading.read(selection(f"{web}/a.tsv", f"{web}/z.tsv.gz")))
    assert [(row.file, row.line, row.values) for row in rows] == [
        (f"{web}/a.tsv", 2, {"text": "a.tsv"}),
        (f"{web}/z.tsv.gz", 2, {"text": "z"}),
    ]


def test_a_file_that_is_not_on_the_web_is_told(web: str) -> None:
    with pytest.raises(DataError) as caught:
        sources.resolve(selection(f"{web}/nothing.tsv"))
    assert str(caught.value) == f"{web}/nothing.tsv: not found\n  check the address and the network"


@pytest.mark.parametrize(
    ("scheme", "hint"), [("http", "check the address"), ("s3", "check the bucket, the key")]
)
def test_a_server_that_does_not_answer_is_told(
    scheme: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{address}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    uri = f"{scheme}://{address if scheme == 'http' else 'bucket'}/a.tsv"
    with pytest.raises(DataError, match=f"{uri}: (not found|cannot be read)") as caught:
        sources.resolve(selection(uri))
    assert caught.value.hint.startswith(hint)
