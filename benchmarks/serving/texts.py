"""What clients ask about: sentences of a few words and reviews that fill the model, mixed."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from benchmarks.ceiling import training_flops
from benchmarks.workloads import Workload

REVIEWS = "amazon_multidomain/dev.jsonl"
EVERY = 4  # every so many texts there is a review


def sentences(workload: Workload, count: int) -> Sequence[str]:
    """So many texts of the workload, at most those that it has."""
    return [row["text"] for row in workload.read("train")][:count]


def mixed(workload: Workload, data: Path, count: int) -> Sequence[str]:
    """So many texts, the same in every run."""
    draw = random.Random(0)
    short = [row["text"] for row in workload.read("dev")]
    reviews = data / REVIEWS
    long = short
    if reviews.is_file():
        long = [json.loads(line)["text"] for line in reviews.open(encoding="utf-8")]
    return [draw.choice(long if place % EVERY == 0 else short) for place in range(count)]


def flops(workload: Workload, asked: Sequence[str]) -> float:
    """Useful arithmetic of the mean answer: a third of what training on its text takes."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(workload.start / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(workload.recipe.max_length)
    lengths = [len(each.ids) for each in tokenizer.encode_batch(list(asked))]
    tokens = sum(lengths)
    attended = sum(length * length for length in lengths) / tokens
    return training_flops(workload.shape, tokens=tokens, attended=attended) / 3 / len(lengths)
