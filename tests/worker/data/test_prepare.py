"""Splits are tokenised once, reused by content, made anew when damaged."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from graft_api.data import Data
from graft_api.errors import DataError
from graft_worker.data.blocks import Block
from graft_worker.data.cache import Cache
from graft_worker.data.inspect import Inspection, inspect
from graft_worker.data.prepare import build_split
from graft_worker.data.prepared import Split
from graft_worker.data.rows import Row
from graft_worker.data.selections import Cut, Selection, selections
from graft_worker.data.shards import Shards
from graft_worker.data.targets import TargetWish
from tests.worker.data.roles import CLASSIFY, selection


class Bytes:
    """An Encode whose tokens are the bytes of the text; remembers how many rows it was given."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.chunks: list[int] = []

    def __call__(self, rows: Sequence[Row]) -> Block:
        self.chunks.append(len(rows))
        texts = [np.frombuffer(row.values["text"].encode(), np.uint8) for row in rows]
        target = [self.labels.index(row.values["label"]) for row in rows]
        return Block(
            tokens=np.concatenate(texts),
            lengths=np.array([len(text) for text in texts]),
            per_example={"target": np.array(target, np.int32)},
        )


@pytest.fixture
def train(tmp_path: Path) -> Selection:
    """Ten thousand rows: `row 0`, `row 1`, ... with the labels a and b in turn."""
    lines = [f"{'ab'[i % 2]}\trow {i}" for i in range(10_000)]
    (tmp_path / "train.tsv").write_text("label\ttext\n" + "\n".join(lines))
    return selection(tmp_path / "train.tsv")


def build(
    tmp_path: Path, chosen: Selection, *, wish: TargetWish | None = None, tokenizer: str = "bytes"
) -> tuple[Split, list[int]]:
    found = inspected(chosen, wish or TargetWish())
    encode = Bytes(found.labels)
    split = build_split(
        chosen,
        found,
        partial(map, encode),
        cache=Cache(root=tmp_path / "store" / "cache"),
        key_parts={"tokenizer": tokenizer, "vocabulary": "256"},
    )
    return split, encode.chunks


def inspected(chosen: Selection, wish: TargetWish) -> Inspection:
    return inspect({"train": chosen}, CLASSIFY, wish=wish)


def test_a_split_in_chunks_of_4096_rows(tmp_path: Path, train: Selection) -> None:
    split, chunks = build(tmp_path, train)
    shards = Shards.open(tmp_path / "store" / split.shards)
    assert chunks == [4096, 4096, 1808]
    assert split.shards.startswith("cache/sha256-")
    assert (split.rows, split.tokens) == (10_000, len(shards.tokens)) == (10_000, 78_890)
    assert bytes(shards.tokens_of(9_999).astype(np.uint8)) == b"row 9999"
    assert shards.per_example["target"][:3].tolist() == [0, 1, 0]
    assert shards.tokens.dtype == np.uint16


def test_a_chunk_of_long_rows_ends_earlier(tmp_path: Path) -> None:
    path = tmp_path / "long.tsv"
    path.write_text("text\tlabel\n" + "".join(f"{'x' * 900_000}\t{i % 2}\n" for i in range(7)))
    split, chunks = build(tmp_path, selection(path))
    assert chunks == [3, 3, 1]
    assert split.rows == 7


def test_the_same_bytes_are_not_tokenised_again(tmp_path: Path, train: Selection) -> None:
    first, _ = build(tmp_path, train)
    moved = Path(train.uris[0]).rename(tmp_path / "moved.tsv")
    second, chunks = build(tmp_path, selection(moved))
    assert (second, chunks) == (first, [])


@pytest.mark.parametrize("change", ["tokenizer", "labels", "bytes", "cut"], ids="another {}".format)
def test_what_the_content_depends_on_is_in_the_name(
    tmp_path: Path, train: Selection, change: str
) -> None:
    first, _ = build(tmp_path, train)
    if change == "bytes":
        with Path(train.uris[0]).open("a") as file:
            file.write("\na\tone more")
    chosen = selection(*train.uris, cut=Cut(fraction=0.5, seed=1, side="train"))
    second, chunks = build(
        tmp_path,
        chosen if change == "cut" else train,
        wish=TargetWish(labels=("b", "a")) if change == "labels" else None,
        tokenizer="other" if change == "tokenizer" else "bytes",
    )
    assert second.shards != first.shards
    assert chunks


def test_damaged_shards_are_made_anew_with_a_warning(
    tmp_path: Path, train: Selection, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = build(tmp_path, train)
    tokens = tmp_path / "store" / first.shards / "tokens.bin"
    whole = tokens.read_bytes()
    tokens.write_bytes(b"\0" * len(whole))
    with caplog.at_level(logging.WARNING):
        second, chunks = build(tmp_path, train)
    assert second == first
    assert len(chunks) == 3
    assert tokens.read_bytes() == whole
    assert [record.message for record in caplog.records] == ["shards are damaged and made anew"]
    assert [path.name for path in tokens.parent.parent.iterdir()] == [tokens.parent.name]


def test_a_cut_gives_each_row_to_one_side(tmp_path: Path, train: Selection) -> None:
    texts: list[bytes] = []
    for side in ("train", "validation"):
        cut = selection(*train.uris, cut=Cut(fraction=0.1, seed=3, side=side))
        split, _ = build(tmp_path, cut)
        assert split.rows == {"train": 9000, "validation": 1000}[side]
        shards = Shards.open(tmp_path / "store" / split.shards)
        texts += [bytes(shards.tokens_of(i).astype(np.uint8)) for i in range(shards.rows)]
    assert sorted(texts) == sorted(f"row {i}".encode() for i in range(10_000))


def test_a_file_that_changed_since_its_inspection_leaves_nothing(
    tmp_path: Path, train: Selection
) -> None:
    found = inspected(train, TargetWish())
    Path(train.uris[0]).write_text("label\ttext\na\tone\nb\n")
    cache = tmp_path / "store" / "cache"
    with pytest.raises(DataError, match="wrong number of columns"):
        build_split(
            train, found, partial(map, Bytes(found.labels)), cache=Cache(root=cache), key_parts={}
        )
    assert list(cache.iterdir()) == []


def test_the_splits_of_a_job() -> None:
    data = Data.model_validate_json(
        """{
            "train": {"uri": "t.tsv", "columns": {"text": "review"}},
            "validation": {"fraction": 0.1},
            "test": {"uris": ["a.csv", "b.csv"], "format": "csv"}
        }"""
    )
    columns = (("text", "review"),)
    assert selections(data, seed=7) == {
        "train": selection("t.tsv", columns=columns, cut=Cut(fraction=0.1, seed=7, side="train")),
        "validation": selection(
            "t.tsv", columns=columns, cut=Cut(fraction=0.1, seed=7, side="validation")
        ),
        "test": selection("a.csv", "b.csv", format="csv"),
    }
