"""Shards come back as they were written, whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graft_api.errors import StoreError
from graft_worker.data.blocks import Block
from graft_worker.data.shard_writer import ShardWriter, discard, is_whole
from graft_worker.data.shards import Shards
from tests.worker.data import blocks_of


def written(folder: Path, blocks: list[Block], *, vocabulary: int = 1 << 20) -> Shards:
    with ShardWriter(folder, vocabulary=vocabulary) as writer:
        for block in blocks:
            writer.add(block)
        writer.publish()
    return Shards.open(folder)


@settings(deadline=None, max_examples=30)
@given(
    parts=st.lists(st.lists(st.integers(0, 40), min_size=1, max_size=20), min_size=1, max_size=4)
)
def test_what_is_written_in_blocks_is_read_as_one(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[int]]
) -> None:
    starts = np.cumsum([0, *map(len, parts)]).tolist()
    blocks = [blocks_of.block(p, first=s) for p, s in zip(parts, starts, strict=False)]
    shards = written(tmp_path_factory.mktemp("cache") / "sha256-x", blocks)
    whole = blocks_of.block([n for part in parts for n in part])
    assert shards.rows == len(whole.lengths)
    assert shards.lengths.tolist() == whole.lengths.tolist()
    assert shards.tokens.tolist() == whole.tokens.tolist()
    assert shards.per_token["types"].tolist() == whole.per_token["types"].tolist()
    assert shards.per_example["target"].tolist() == whole.per_example["target"].tolist()
    for row, size in enumerate(shards.lengths):
        assert shards.tokens_of(row).tolist() == (1000 * row + np.arange(size)).tolist()


@pytest.mark.parametrize(
    ("vocabulary", "dtype"), [(30522, np.uint16), (65535, np.uint16), (65536, np.uint32)]
)
def test_ids_are_as_narrow_as_the_vocabulary_allows(
    tmp_path: Path, vocabulary: int, dtype: type
) -> None:
    shards = written(tmp_path / "x", [blocks_of.block([3])], vocabulary=vocabulary)
    assert shards.tokens.dtype == dtype


def test_a_column_may_have_a_vector_per_example(tmp_path: Path) -> None:
    hot = np.array([[1, 0, 1], [0, 0, 1]], np.uint8)
    block = Block(tokens=np.arange(4), lengths=np.array([1, 3]), per_example={"target": hot})
    assert written(tmp_path / "x", [block]).per_example["target"].tolist() == hot.tolist()


def test_the_folder_holds_what_its_manifest_says(tmp_path: Path) -> None:
    written(tmp_path / "x", [blocks_of.block([2, 3])], vocabulary=100)
    manifest = json.loads((tmp_path / "x" / "MANIFEST.json").read_text())
    sizes = {name: entry["size"] for name, entry in manifest["files"].items()}
    meta = sizes.pop("meta.json")
    assert sizes == {
        "tokens.bin": 10,
        "offsets.bin": 24,
        "lengths.bin": 8,
        "token.types.bin": 5,
        "example.target.bin": 8,
    }
    assert meta == (tmp_path / "x" / "meta.json").stat().st_size
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_an_error_in_between_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with ShardWriter(tmp_path / "x", vocabulary=100) as writer:
            writer.add(blocks_of.block([2]))
            writer.add(Block(tokens=np.arange(3), lengths=np.array([2])))

    with pytest.raises(ValueError, match="other"):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("block", "message"),
    [
        pytest.param(
            Block(tokens=np.arange(3), lengths=np.array([2])), "1 examples, 2 tokens", id="tokens"
        ),
        pytest.param(
            Block(tokens=np.arange(2), lengths=np.array([2]), per_example={"target": np.zeros(2)}),
            "target",
            id="a column",
        ),
        pytest.param(
            Block(tokens=np.array([70_000]), lengths=np.array([1])), "70000", id="a token id"
        ),
    ],
)
def test_a_block_that_does_not_fit_is_refused(tmp_path: Path, block: Block, message: str) -> None:
    with (
        ShardWriter(tmp_path / "x", vocabulary=100) as writer,
        pytest.raises(ValueError, match=message),
    ):
        writer.add(block)


def test_two_writers_of_one_folder_both_succeed(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "x", vocabulary=100) as first:
        first.add(blocks_of.block([2]))
        with ShardWriter(tmp_path / "x", vocabulary=100) as second:
            second.add(blocks_of.block([2]))
            second.publish()
        first.publish()
    assert Shards.open(tmp_path / "x").rows == 1
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda f: (f / "tokens.bin").write_bytes(b"x" * 10), id="another byte"),
        pytest.param(lambda f: (f / "tokens.bin").write_bytes(b"x"), id="too short"),
        pytest.param(lambda f: (f / "meta.json").unlink(), id="a file is missing"),
        pytest.param(lambda f: (f / "MANIFEST.json").unlink(), id="the manifest is missing"),
        pytest.param(lambda f: (f / "MANIFEST.json").write_text("["), id="the manifest is cut"),
    ],
)
def test_damage_is_noticed_and_can_be_discarded(tmp_path: Path, harm: object) -> None:
    written(tmp_path / "x", [blocks_of.block([2, 3])], vocabulary=100)
    assert is_whole(tmp_path / "x")
    harm(tmp_path / "x")  # type: ignore[operator]
    assert not is_whole(tmp_path / "x")
    discard(tmp_path / "x")
    discard(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_no_shards_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no readable shards") as caught:
        Shards.open(tmp_path)
    assert "remove the folder" in caught.value.hint


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_and_nothing_is_left(small_disk: Path) -> None:
    with pytest.raises(StoreError) as caught:
        written(small_disk / "cache" / "x", [blocks_of.block([100] * 100)] * 100)
    assert str(caught.value).startswith(f"{small_disk / 'cache'}: cannot write shards after ")
    assert "No space left on device\n  free space there" in str(caught.value)
    assert list((small_disk / "cache").iterdir()) == []


def test_a_read_only_disk_is_told(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError) as caught:
        written(small_disk / "x", [blocks_of.block([1])])
    assert str(caught.value) == (
        f"{small_disk}: cannot write shards: Read-only file system\n"
        "  the file system is read-only: choose another store with --store"
    )


AS_NOBODY = """
import os, sys
from pathlib import Path
from graft_api.errors import StoreError
from graft_worker.data.shard_writer import ShardWriter
os.setgid(65534); os.setuid(65534)
try:
    ShardWriter(Path(sys.argv[1]) / "x", vocabulary=9).__enter__()
except StoreError as error:
    print(error)
"""


def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        f"{tmp_path}: cannot write shards: Permission denied\n"
        "  give this user the right to write there, or choose another store with --store\n"
    )
