"""The rows of a lesson: few with labels, many without, and those that all are measured on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = Mapping[str, str]

WORDS = tuple(f"{a}{b}" for a in "bdfgklmn" for b in "aeiou")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Files of a folder: labelled.jsonl, bare.jsonl without labels, dev.jsonl."""

    name: str
    folder: Path
    labelled: int  # rows of each
    bare: int
    dev: int

    def rows(self) -> Mapping[str, int]:
        """How many there are of each."""
        return {"labelled": self.labelled, "bare": self.bare, "dev": self.dev}

    def file(self, split: str) -> str:
        """The path of `labelled`, `bare` or `dev`."""
        return str(self.folder / f"{split}.jsonl")


def real(data: Path, folder: Path, *, labelled: int) -> Material:
    """sst2 with labels for its first rows alone."""
    train, dev = (_rows(data / "sst2" / f"{split}.jsonl") for split in ("train", "dev"))
    return _written("sst2", folder, train=train, dev=dev, labelled=labelled)


def tiny(folder: Path) -> Material:
    """Eight made-up words a row; the label is the half of the words that most of them are from."""
    train, dev = list(_made_up(160, seed=1)), list(_made_up(40, seed=2))
    return _written("tiny", folder, train=train, dev=dev, labelled=32)


def _written(
    name: str, folder: Path, *, train: Sequence[Row], dev: Sequence[Row], labelled: int
) -> Material:
    bare = [{"text": row["text"]} for row in train[labelled:]]
    splits = {"labelled": train[:labelled], "bare": bare, "dev": dev}
    for split, rows in splits.items():
        (folder / f"{split}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return Material(
        name=name,
        folder=folder,
        **{split: len(rows) for split, rows in splits.items()},
    )


def _made_up(count: int, *, seed: int) -> Iterator[Row]:
    draw = random.Random(seed)
    for _ in range(count):
        words = draw.choices(WORDS, k=8)
        late = sum(WORDS.index(word) % 2 for word in words)
        yield {"text": " ".join(words), "label": "late" if late > 4 else "early"}


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
