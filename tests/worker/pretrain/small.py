"""A small vocabulary with words of several pieces, and texts of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from graft_api.pretrainjob import PretrainJobSpec
from graft_worker.data import order
from graft_worker.data.rows import Row
from graft_worker.data.shards import Shards
from graft_worker.models import special, vocabularies
from graft_worker.pretrain import masking, sentences
from graft_worker.pretrain.masking import Masking
from graft_worker.pretrain.sentences import Form

STEMS = tuple(f"stem{letter}" for letter in "abcdefghij")
TAILS = ("##s", "##ed", "##ing")


def tokenizer() -> Tokenizer:
    """WordPiece over ten stems and three tails."""
    from tokenizers import models

    pieces = (*vocabularies.BERT_SPECIAL, *STEMS, *TAILS, ".")
    ids = {piece: number for number, piece in enumerate(pieces)}
    made = vocabularies.bert_style(models.WordPiece(ids, unk_token="[UNK]"), lowercase=True)
    made.add_special_tokens(list(vocabularies.BERT_SPECIAL))
    return special.framed(made)


def spec(**objective: Any) -> PretrainJobSpec:
    return PretrainJobSpec.model_validate(
        {
            "model": {"from": {"config": {"architecture": "bert"}}},
            "data": {"train": {"uri": "a.txt"}},
            "objective": objective,
        }
    )


def masked(**objective: Any) -> Masking:
    return masking.of_spec(spec(**objective), tokenizer())


def texts(count: int, *, seed: int = 0) -> list[str]:
    """Sentences of 5 to 12 words, of which a third have tails."""
    draw = np.random.default_rng(seed)
    made = []
    for size in draw.integers(5, 13, count):
        words = [STEMS[i] for i in draw.integers(0, len(STEMS), size)]
        tails = ["", "", "s", "ed", "ing", "eding"]
        made.append(
            " ".join(w + tails[i] for w, i in zip(words, draw.integers(0, 6, size), strict=True))
        )
    return made


def rows(lines: list[str]) -> list[Row]:
    return [Row({"text": line}, "made.txt", number) for number, line in enumerate(lines, 1)]


def form(**changed: Any) -> Form:
    return replace(Form(max_length=64, whole_word=True, text="text"), **changed)


def shards(lines: list[str], *, max_length: int = 64, whole_word: bool = True) -> Shards:
    """The lines as full sequences."""
    made = sentences.sequences(tokenizer(), form(max_length=max_length, whole_word=whole_word))
    blocks = list(made(iter([rows(lines)])))
    joined = Shards.in_memory(blocks[0])
    if len(blocks) == 1:
        return joined
    parts = [Shards.in_memory(block) for block in blocks]
    lengths = np.concatenate([part.lengths for part in parts])
    return Shards(
        rows=len(lengths),
        tokens=np.concatenate([part.tokens for part in parts]),
        offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        lengths=lengths,
        per_token={
            name: np.concatenate([part.per_token[name] for part in parts])
            for name in joined.per_token
        },
        per_example={},
    )


def keys(seed: int, epoch: int, chosen: np.ndarray[Any, Any]) -> Any:
    return order.key(seed, epoch, chosen)
