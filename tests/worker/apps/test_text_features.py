"""Texts become tokens as the published tokenizer makes them, targets a column of numbers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from graft_api.errors import ConfigError
from graft_worker.data.blocks import Block
from graft_worker.data.prepared import Problem
from tests.worker import small

TEXTS = st.text(alphabet="abc xyz好坏.", max_size=30)


def encoded(texts: list[dict[str, Any]], *, name: str = "text_classify", length: int = 12) -> Block:
    return small.app(name).features(small.tokenizer(), length)(small.rows(texts))


def words_of(block: Block) -> list[str]:
    ids = [small.tokenizer().id_to_token(int(number)) for number in block.tokens]
    ends = np.cumsum(block.lengths)
    return [" ".join(ids[stop - n : stop]) for n, stop in zip(block.lengths, ends, strict=True)]


def test_rows_stand_end_to_end_with_their_marks() -> None:
    block = encoded([{"text": "good film"}, {"text": ""}, {"text": "很好"}])
    assert words_of(block) == ["[CLS] good film [SEP]", "[CLS] [SEP]", "[CLS] 很 好 [SEP]"]
    assert block.lengths.tolist() == [4, 2, 4]
    assert block.per_token["types"].tolist() == [0] * 10
    assert block.per_token["types"].dtype == np.uint8
    assert block.per_example == {}


def test_a_single_text_is_cut_at_its_end() -> None:
    block = encoded([{"text": "the film was not very good"}], length=5)
    assert words_of(block) == ["[CLS] the film was [SEP]"]


def test_a_pair_carries_types_and_loses_tokens_of_its_longer_side_first() -> None:
    pair = {"text_a": "the film was not very good and very slow", "text_b": "very bad"}
    block = encoded([pair], name="text_match", length=8)
    assert words_of(block) == ["[CLS] the film was [SEP] very bad [SEP]"]
    assert block.per_token["types"].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]


def test_a_second_text_joins_a_classification_where_the_row_has_one() -> None:
    block = encoded([{"text": "good", "text_b": "bad end"}, {"text": "good", "text_b": ""}])
    assert words_of(block) == ["[CLS] good [SEP] bad end [SEP]", "[CLS] good [SEP]"]


@given(first=TEXTS, second=TEXTS, length=st.integers(5, 20))
def test_pairs_are_cut_one_token_at_a_time_from_the_longer_side(
    first: str, second: str, length: int
) -> None:
    plain = small.tokenizer()
    a = plain.encode(first, add_special_tokens=False).ids
    b = plain.encode(second, add_special_tokens=False).ids
    loses_first = b if len(a) > len(b) else a  # of two that have become equally long
    while len(a) + len(b) > length - 3:
        longer = max(a, b, key=len) if len(a) != len(b) else loses_first
        longer.pop()
    cls, sep = plain.token_to_id("[CLS]"), plain.token_to_id("[SEP]")
    block = encoded([{"text_a": first, "text_b": second}], name="text_match", length=length)
    assert block.tokens.tolist() == [cls, *a, sep, *b, sep]


@given(texts=st.lists(TEXTS, min_size=1, max_size=8))
def test_rows_are_encoded_alike_alone_and_together(texts: list[str]) -> None:
    together = words_of(encoded([{"text": text} for text in texts]))
    alone = [words_of(encoded([{"text": text}]))[0] for text in texts]
    assert together == alone


@pytest.mark.parametrize(
    ("problem", "values", "expected", "dtype"),
    [
        pytest.param("single_label", ["good", "bad"], [1, 0], np.int32, id="labels are numbered"),
        pytest.param(
            "multi_label",
            [("slow", "dull"), ()],
            [[1, 1, 0], [0, 0, 0]],
            np.uint8,
            id="sets of labels are zeros and ones",
        ),
        pytest.param("regression", [1.5, -2.0], [1.5, -2.0], np.float32, id="numbers stay numbers"),
    ],
)
def test_targets_become_the_column_of_their_problem(
    problem: Problem, values: list[Any], expected: list[Any], dtype: type[np.generic]
) -> None:
    encode = small.app(problem=problem).features(small.tokenizer(), 12)
    block = encode(small.rows([{"text": "film", "label": value} for value in values]))
    assert block.per_example["target"].tolist() == expected
    assert block.per_example["target"].dtype == dtype


def test_the_tokenizer_given_is_left_as_it_was() -> None:
    tokenizer = small.tokenizer()
    tokenizer.enable_padding(length=20)
    before = tokenizer.to_str()
    block = small.app().features(tokenizer, 5)(small.rows([{"text": "the film was good"}]))
    assert (block.lengths.tolist(), tokenizer.to_str()) == ([5], before)


@pytest.mark.parametrize(
    ("name", "length", "message"),
    [
        pytest.param(
            "text_classify", 3,
            "spec.data.maxLength: 3: too short, expected at least 5\n"
            "  3 tokens are marks of the tokenizer, at least one of each text must fit",
            id="a classifier that may get pairs",
        ),
        pytest.param(
            "text_match", 4,
            "spec.data.maxLength: 4: too short, expected at least 5\n"
            "  3 tokens are marks of the tokenizer, at least one of each text must fit",
            id="a matcher",
        ),
    ],
)  # fmt: skip
def test_a_length_that_leaves_no_room_for_text_is_refused(
    name: str, length: int, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        small.app(name).features(small.tokenizer(), length)
    assert str(caught.value) == message


def test_a_tokenizer_without_marks_is_refused() -> None:
    bare = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    with pytest.raises(ConfigError) as caught:
        small.app().features(bare, 12)
    assert str(caught.value) == (
        "spec.model.tokenizer: marks neither start nor end of a text\n"
        "  a classifier reads the first mark: take a tokenizer with [CLS] and [SEP]"
    )


def test_preparing_runs_without_torch() -> None:
    code = """
import sys
from tokenizers import Tokenizer
from graft_api.app import App
from graft_worker.apps import registry
from graft_worker.data.rows import Row
spec = App(name="text_classify")
registry.wish(spec), registry.roles(spec)
app = registry.build(spec, problem="single_label", labels=("bad", "good"))
encode = app.features(Tokenizer.from_str(sys.stdin.read()), 12)
block = encode([Row({"text": "good film", "label": "good"}, "made", 1)])
loaded = {name.split(".")[0] for name in sys.modules}
print(block.lengths.tolist(), sorted(loaded & {"torch", "torchmetrics", "transformers"}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=small.tokenizer().to_str(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[4] []\n"
