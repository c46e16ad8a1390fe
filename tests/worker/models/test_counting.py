"""The words from which pieces are learnt: all of them where they are few, else the commonest."""

from __future__ import annotations

from collections import Counter

import pytest
from tokenizers import models

from graft_worker.models import counting, vocabularies

TEXTS = [
    "The house, the houses; the END",
    " two  spaces\tand a tab ",
    "don't 's",
    "中文 and 字 x\u3000y",
    "一" * 70 + " long",
    "",
]


@pytest.mark.parametrize("parts", [counting.at_spaces, counting.before_spaces])
def test_words_are_those_of_whole_texts(parts: counting.Split) -> None:
    cut_before_spaces = parts is counting.before_spaces
    tokenizer = (
        vocabularies.byte_style(models.BPE())
        if cut_before_spaces
        else vocabularies.bert_style(models.WordPiece(), lowercase=True)
    )
    split = vocabularies.splitter(tokenizer)
    expected = Counter(word for text in TEXTS for word in split(text))
    assert counting.words(TEXTS * 3, split, parts=parts) == Counter(
        {word: 3 * times for word, times in expected.items()}
    )


def test_where_words_are_many_the_commonest_are_kept_and_equal_ones_by_the_alphabet() -> None:
    texts = [f"often rare{n:02} common" for n in range(30)] + ["often"]
    found = counting.words(texts, str.split, parts=counting.at_spaces, most=3)
    assert found["often"] == 31
    assert found["common"] == 30
    assert len(found) == 3
    again = counting.words(texts, str.split, parts=counting.at_spaces, most=3)
    assert found == again
