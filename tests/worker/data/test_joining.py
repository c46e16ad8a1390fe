"""Labelled and unlabelled rows as one split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from graft_worker.data.blocks import Block
from graft_worker.data.cache import Cache
from graft_worker.data.joining import joined
from graft_worker.data.shard_writer import ShardWriter
from graft_worker.data.shards import Shards


def written(root: Path, name: str, tokens: list[list[int]], targets: list[int] | None) -> str:
    block = Block(
        tokens=np.array([token for row in tokens for token in row], np.uint32),
        lengths=np.array([len(row) for row in tokens]),
        per_token={"types": np.array([token % 2 for row in tokens for token in row], np.uint8)},
        per_example={} if targets is None else {"target": np.array(targets, np.int32)},
    )
    with ShardWriter(root / name, vocabulary=100) as writer:
        writer.add(block)
        writer.publish()
    return name


def test_rows_keep_their_order_and_say_whether_they_have_a_target(tmp_path: Path) -> None:
    labelled = written(tmp_path, "a", [[1, 2, 3], [4]], [1, 2])
    bare = written(tmp_path, "b", [[5, 6], [7, 8, 9], [10]], None)
    cache = Cache(root=tmp_path)
    name = joined(labelled, bare, cache=cache, vocabulary=100)
    found = Shards.open(tmp_path / name)
    assert [found.tokens_of(row).tolist() for row in range(found.rows)] == [
        [1, 2, 3],
        [4],
        [5, 6],
        [7, 8, 9],
        [10],
    ]
    assert found.per_token["types"].tolist() == [t % 2 for t in range(1, 11)]
    assert found.per_example["labelled"].tolist() == [1, 1, 0, 0, 0]
    assert found.per_example["target"].tolist() == [1, 2, 0, 0, 0]
    assert joined(labelled, bare, cache=cache, vocabulary=100) == name


def test_a_damaged_folder_is_made_anew(tmp_path: Path) -> None:
    labelled, bare = written(tmp_path, "a", [[1]], [3]), written(tmp_path, "b", [[2]], None)
    cache = Cache(root=tmp_path)
    name = joined(labelled, bare, cache=cache, vocabulary=100)
    (tmp_path / name / "tokens.bin").write_bytes(b"\0\0")
    assert joined(labelled, bare, cache=cache, vocabulary=100) == name
    assert Shards.open(tmp_path / name).tokens.tolist() == [1, 2]
