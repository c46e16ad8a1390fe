"""A made-up language: every sentence has a topic, and words of that topic in fixed places.

Who knows the language tells a word's kind from its place, and its topic from the words beside it.
The design is TOPICS(4, 80, 0) with a grammar round it.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
TOPICS = ("sea", "kitchen", "garden", "forge")
KINDS = {"adjective": 10, "noun": 20, "verb": 10}  # words of a topic
SENTENCE = ("the", "adjective", "noun", "verb", "the", "adjective", "noun", ".")
SENTENCES = 8  # in a document, all of one topic

Words = dict[str, dict[str, list[str]]]  # topic -> kind -> words


def write(folder: Path, *, documents: int = 1500, labelled: int = 32) -> None:
    """Writes two job files, and in `data` train.txt and dev.txt to pretrain on, labelled.jsonl and
    dev.jsonl to fine-tune on.
    """
    draw = random.Random(1)
    words = _words(draw)
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for file in HERE.glob("*.yaml"):
        shutil.copy(file, folder / file.name)
    for name, count in (("train.txt", documents), ("dev.txt", documents // 4)):
        texts = ("\n".join(_document(words, draw)) for _ in range(count))
        (data / name).write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    for name, count in (("labelled.jsonl", labelled), ("dev.jsonl", 400)):
        lines = (json.dumps(row) for row in _rows(words, draw, count))
        (data / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _words(draw: random.Random) -> Words:
    made = ["".join(letters) for letters in itertools.product("bdfgklmnprst", "aeiou", "lmnrst")]
    draw.shuffle(made)
    stock = iter(made)
    return {
        topic: {kind: list(itertools.islice(stock, size)) for kind, size in KINDS.items()}
        for topic in TOPICS
    }


def _document(words: Words, draw: random.Random) -> list[str]:
    topic = draw.choice(TOPICS)
    return [_sentence(words[topic], draw) for _ in range(SENTENCES)]


def _rows(words: Words, draw: random.Random, count: int) -> Iterator[dict[str, str]]:
    """Sentences with their topics, equally many of each."""
    for _, topic in zip(range(count), itertools.cycle(TOPICS), strict=False):
        yield {"text": _sentence(words[topic], draw), "label": topic}


def _sentence(of_topic: dict[str, list[str]], draw: random.Random) -> str:
    return " ".join(draw.choice(of_topic[part]) if part in KINDS else part for part in SENTENCE)
