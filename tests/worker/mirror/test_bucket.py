"""What a bucket holds, and what is said where it cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from graft_api.errors import StoreError
from graft_api.vocabulary import ExitCode, FailureClass
from graft_worker.mirror.bucket import Bucket
from graft_worker.mirror.failures import Absent
from graft_worker.mirror.mirror import Mirror
from tests.worker.mirror.buckets import Server


def test_a_file_comes_back_as_it_was(keys: Server, tmp_path: Path) -> None:
    # More than two parts of a multipart upload.
    content = bytes(range(256)) * (120 << 12)
    (tmp_path / "a").write_bytes(content)
    bucket = Bucket("s3://models/back/")
    bucket.put(tmp_path / "a", "x/a")
    bucket.get("x/a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content
    assert [(item.key, item.size) for item in bucket.listed("x")] == [("a", len(content))]
    assert bucket.address("x/a") == "s3://models/back/x/a"
    bucket.remove("x/a")
    bucket.remove("x/a")
    assert bucket.listed("x") == ()


def test_more_objects_than_one_answer_has_are_all_listed(keys: Server) -> None:
    folder = keys.folder / "many" / "f"
    folder.mkdir(parents=True)
    for number in range(1203):
        (folder / f"{number:04d}").touch()
    (keys.folder / "many" / "f-beside").touch()
    assert len(Bucket("s3://models/many").listed("f")) == 1203


def test_an_object_that_is_not_there_is_absent(keys: Server, tmp_path: Path) -> None:
    with pytest.raises(Absent, match="s3://models/none/x: not found"):
        Bucket("s3://models/none").read("x")


def test_a_folder_comes_back_whole_or_not_at_all(keys: Server, tmp_path: Path) -> None:
    mirror = Mirror.of(tmp_path / "here", "s3://models/folders")
    made = tmp_path / "here" / "cache" / "sha256-1"
    (made / "deep").mkdir(parents=True)
    for name in ("a", "deep/b", "LAST"):
        (made / name).write_text(name)
    mirror.put_folder(made, last="LAST")
    there = Mirror.of(tmp_path / "there", "s3://models/folders")
    copy = tmp_path / "there" / "cache" / "sha256-1"
    there.get_folder(copy, last="LAST")
    assert {
        p.relative_to(copy).as_posix(): p.read_text() for p in copy.rglob("*") if p.is_file()
    } == {
        "a": "a",
        "deep/b": "deep/b",
        "LAST": "LAST",
    }
    (keys.folder / "folders" / "cache" / "sha256-1" / "LAST").unlink()
    late = tmp_path / "late"
    Mirror.of(late, "s3://models/folders").get_folder(late / "cache" / "sha256-1", last="LAST")
    assert not late.exists()


def test_a_damaged_copy_of_a_folder_is_mended(keys: Server, tmp_path: Path) -> None:
    mirror = Mirror.of(tmp_path, "s3://models/mended")
    made = tmp_path / "cache" / "sha256-1"
    made.mkdir(parents=True)
    (made / "a").write_text("whole")
    (made / "LAST").write_text("1")
    mirror.put_folder(made, last="LAST")
    copy = keys.folder / "mended" / "cache" / "sha256-1" / "a"
    before = copy.stat().st_mtime_ns
    mirror.put_folder(made, last="LAST")
    assert copy.stat().st_mtime_ns == before
    copy.unlink()
    mirror.put_folder(made, last="LAST")
    assert copy.read_text() == "whole"


def test_a_folder_that_is_damaged_in_the_bucket_is_not_brought(
    keys: Server, tmp_path: Path
) -> None:
    mirror = Mirror.of(tmp_path, "s3://models/damaged")
    made = tmp_path / "cache" / "sha256-1"
    made.mkdir(parents=True)
    for name in ("a", "LAST"):
        (made / name).write_text("whole")
    mirror.put_folder(made, last="LAST")
    copy = keys.folder / "damaged" / "cache" / "sha256-1" / "a"
    copy.write_text("wholf")
    there = tmp_path / "there"
    folder = there / "cache" / "sha256-1"
    for _ in range(2):
        Mirror.of(there, "s3://models/damaged").get_folder(folder, last="LAST")
        assert not folder.exists()
    mirror.put_folder(made, last="LAST")
    assert copy.read_text() == "whole"


KEYS = "correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the store's secret"
ENDPOINT = "or correct AWS_ENDPOINT_URL in the store's secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A bucket that cannot be used, and what is to be told of it."""

    uri: str = "s3://models/a"
    environ: tuple[tuple[str, str], ...] = ()
    message: str
    hint: str = KEYS


UNUSABLE = {
    "no such bucket": Unusable(
        uri="s3://nobody/a",
        message="s3://nobody/a/x: there is no bucket nobody at {endpoint}",
        hint="make the bucket, or correct the store's address or AWS_ENDPOINT_URL",
    ),
    "a wrong secret": Unusable(
        environ=(("AWS_SECRET_ACCESS_KEY", "wrong"),),
        message="s3://models/a/x: refused by {endpoint}: ",
    ),
    "an unknown key": Unusable(
        environ=(("AWS_ACCESS_KEY_ID", "nobody"),),
        message="s3://models/a/x: refused by {endpoint}: ",
    ),
    "an endpoint that is no address": Unusable(
        environ=(("AWS_ENDPOINT_URL", "nowhere"),),
        message="s3://models/a/x: nowhere does not answer: ",
        hint=ENDPOINT,
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_keeps_a_bucket_from_being_used_is_told_with_its_remedy(
    keys: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    case = UNUSABLE[name]
    for variable, value in case.environ:
        monkeypatch.setenv(variable, value)
    (tmp_path / "x").touch()
    bucket = Bucket(case.uri)
    for work in (
        lambda: bucket.put(tmp_path / "x", "x"),
        lambda: bucket.read("x"),
        lambda: bucket.listed("x"),
    ):
        with pytest.raises(StoreError) as failure:
            work()
        assert failure.value.message.startswith(case.message.format(endpoint=keys.endpoint))
        assert case.hint in failure.value.hint
        assert failure.value.exit_code == ExitCode.STORE
        assert failure.value.failure_class == FailureClass.INFRASTRUCTURE


def test_an_endpoint_that_nobody_listens_at_is_told(
    keys: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreError) as failure:
        Bucket("s3://models/a").write(b"", "x")
    told = failure.value
    assert told.message.startswith("s3://models/a/x: http://127.0.0.1:1 does not answer: ")
    assert ENDPOINT in told.hint


def test_a_file_that_cannot_be_written_is_not_the_buckets_fault(
    keys: Server, tmp_path: Path
) -> None:
    bucket = Bucket("s3://models/full")
    bucket.write(b"content", "x")
    with pytest.raises(
        StoreError, match=r"none/x: No such file or directory, while s3://models/full/x"
    ):
        bucket.get("x", tmp_path / "none" / "x")
