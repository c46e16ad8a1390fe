"""Sentences become full sequences, and words are what people call words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from graft_api.errors import ConfigError
from graft_worker.data.blocks import Block
from graft_worker.models import tokenization
from graft_worker.pretrain import sentences, words
from graft_worker.pretrain.sentences import cuts
from tests.worker.pretrain import small

LINES = small.texts(200)


def blocks(lines: list[str], *, chunk: int, length: int = 32) -> list[Block]:
    made = sentences.sequences(small.tokenizer(), small.form(max_length=length))
    rows = small.rows(lines)
    return list(made(rows[i : i + chunk] for i in range(0, len(rows), chunk)))


def test_sequences_are_full_framed_and_lose_no_token() -> None:
    shards = small.shards(LINES, max_length=32)
    plain = small.tokenizer().encode_batch(LINES, add_special_tokens=False)
    expected = [index for encoding in plain for index in encoding.ids]
    found = [shards.tokens_of(row) for row in range(shards.rows)]
    assert [index for ids in found for index in ids[1:-1]] == expected
    assert {(int(ids[0]), int(ids[-1])) for ids in found} == {(2, 3)}
    assert shards.lengths.max() == 32
    assert shards.lengths[:-1].min() >= 32 - 2  # a word has at most three pieces


def test_no_word_is_torn() -> None:
    shards = small.shards(LINES, max_length=32)
    tails = {small.tokenizer().token_to_id(tail) for tail in small.TAILS}
    assert all(int(shards.tokens_of(row)[1]) not in tails for row in range(shards.rows))


@pytest.mark.parametrize("chunk", [1, 7, 200])
def test_how_rows_come_in_chunks_changes_nothing(chunk: int) -> None:
    whole, parts = blocks(LINES, chunk=200), blocks(LINES, chunk=chunk)
    for name in ("tokens", "lengths"):
        left, right = (np.concatenate([getattr(b, name) for b in of]) for of in (whole, parts))
        assert (left == right).all()


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 9))
def test_cuts_come_before_words_and_are_as_late_as_they_can(begin: list[bool], room: int) -> None:
    starts = np.array([True, *begin], np.uint8)
    ends = cuts(starts, room, unit=1, final=True)
    assert ends[-1] == len(starts)
    for start, end in pairwise([0, *ends]):
        assert 0 < end - start <= room
        if end < len(starts):
            later = [at for at in range(end + 1, start + room + 1) if starts[at]]
            assert later == []
            assert starts[end] or not starts[start + 1 : start + room + 1].any()


def test_a_length_without_room_for_a_word_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"spec.data.maxLength: 2: too short, expected at least 3"
    ):
        sentences.sequences(small.tokenizer(), small.form(max_length=2))


def chinese() -> Tokenizer:
    lines = ["南京市长江大桥欢迎你", "我们喜欢自然语言处理 hello"] * 20
    return tokenization.train(lines, kind="wordpiece", size=80)


def starts_of(tokenizer: Tokenizer, text: str) -> list[str]:
    """The words of the text, as masking sees them."""
    ((ids, starts),) = words.Splitter.of(tokenizer).split([text])
    pieces = [tokenizer.id_to_token(int(index)) for index in ids]
    found: list[str] = []
    for piece, start in zip(pieces, starts, strict=True):
        found[len(found) - (not start) :] = [
            "".join([*found[-1:], piece] if not start else [piece])
        ]
    return found


def test_chinese_characters_are_joined_to_the_words_of_a_segmenter() -> None:
    tokenizer = chinese()
    assert starts_of(tokenizer, "南京市长江大桥欢迎你") == ["南京市", "长江大桥", "欢迎", "你"]
    mixed = starts_of(tokenizer, "我们 hello 喜欢，自然语言")
    assert mixed[:1] == ["我们"]
    assert "喜欢" in mixed
    assert mixed[1].replace("##", "") == "hello"


def test_the_ids_of_chinese_words_are_those_of_their_characters() -> None:
    tokenizer = chinese()
    ((ids, _),) = words.Splitter.of(tokenizer).split(["欢迎你"])
    assert [tokenizer.id_to_token(int(index)) for index in ids] == ["欢", "迎", "你"]


def test_pieces_of_a_word_belong_together_whatever_kind_the_tokenizer_is() -> None:
    bytes_ = tokenization.train(["walking walked talks"] * 5, kind="bpe", size=270)
    ((ids, starts),) = words.Splitter.of(bytes_).split(["walking talks"])
    assert len(ids) > 2
    assert starts.sum() == 2
