"""Which words are hidden: whole ones, as many as asked, drawn from what they are alone."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft_api.errors import ConfigError
from graft_worker.data import batches
from graft_worker.data.shards import ANSWER, Shards
from graft_worker.pretrain import masking
from graft_worker.pretrain.drawing import fitting
from tests.worker.pretrain import small

ALL = small.shards(small.texts(3000))
ROWS = np.arange(ALL.rows)


def shown(rows: Any = ROWS, *, epoch: int = 0, seed: int = 1, **objective: Any) -> Shards:
    chosen = np.asarray(rows)
    return small.masked(**objective)(ALL, chosen, small.keys(seed, epoch, chosen)).flat()


def answers(view: Shards) -> Any:
    return view.per_token[ANSWER]


def test_every_piece_of_a_hidden_word_is_hidden_with_it() -> None:
    hidden = answers(shown()) >= 0
    going_on = np.flatnonzero(~(ALL.per_token["starts"] != 0))
    assert len(going_on) > 5000
    assert (hidden[going_on] == hidden[going_on - 1]).all()


def test_single_tokens_may_be_hidden_where_words_are_not_kept_together() -> None:
    alone = small.shards(small.texts(500), whole_word=False)
    rows = np.arange(alone.rows)
    view = small.masked()(alone, rows, small.keys(1, 0, rows)).flat()
    hidden = answers(view) >= 0
    pieces = np.isin(alone.tokens, [small.tokenizer().token_to_id(t) for t in small.TAILS])
    at = np.flatnonzero(pieces)
    assert (hidden[at] != hidden[at - 1]).any()


def test_fifteen_in_a_hundred_tokens_are_hidden_and_never_a_mark() -> None:
    view = shown()
    hidden = answers(view) >= 0
    marks = np.isin(ALL.tokens, [2, 3])
    assert hidden[~marks].mean() == pytest.approx(0.15, abs=0.01)
    assert not hidden[marks].any()
    assert (answers(view)[hidden] == ALL.tokens[hidden]).all()
    assert (view.tokens[~hidden] == ALL.tokens[~hidden]).all()


def test_the_share_is_the_one_that_the_job_names() -> None:
    assert (answers(shown(probability=0.4)) >= 0).mean() == pytest.approx(0.4, abs=0.02)


def test_of_the_hidden_eight_tenths_are_masks_a_tenth_stays_a_tenth_is_another() -> None:
    views = [shown(epoch=epoch) for epoch in range(20)]
    hidden = np.concatenate([answers(view) for view in views])
    seen = np.concatenate([view.tokens for view in views])[hidden >= 0]
    true = hidden[hidden >= 0]
    assert len(true) > 100_000
    assert (seen == 4).mean() == pytest.approx(0.8, abs=0.01)
    # A token drawn at random is the true one in one of 15 cases.
    assert (seen == true).mean() == pytest.approx(0.1 + 0.1 / 15, abs=0.01)
    others = seen[(seen != 4) & (seen != true)]
    assert set(others.tolist()) == set(range(5, 19)) | {1}  # the whole vocabulary but the marks


def test_every_epoch_hides_others_unless_the_job_wants_them_fixed() -> None:
    first, second = answers(shown(epoch=0)), answers(shown(epoch=1))
    assert (first != second).mean() > 0.2
    fixed = [answers(shown(epoch=epoch, online=False)) for epoch in (0, 1)]
    assert (fixed[0] == fixed[1]).all()


def test_a_sample_is_shown_alike_in_whatever_company_it_comes() -> None:
    whole = shown(epoch=3)
    for row in (0, 7, ALL.rows - 1):
        alone = shown([row], epoch=3)
        place = slice(ALL.offsets[row], ALL.offsets[row + 1])
        assert (alone.tokens == whole.tokens[place]).all()
        assert (answers(alone) == answers(whole)[place]).all()


def test_two_samples_of_the_same_text_are_shown_differently() -> None:
    twice = small.shards(small.texts(8) * 2)
    assert twice.rows >= 2
    rows = np.arange(2)
    view = small.masked()(twice, rows, small.keys(1, 0, rows)).flat()
    assert (answers(view)[: view.lengths[0]] >= 0).tolist() != (
        answers(view)[view.lengths[0] :] >= 0
    ).tolist()[: view.lengths[0]]


def test_evaluation_hides_the_same_words_whenever_it_looks() -> None:
    rows = ROWS[:20]
    first, again = (small.masked()(ALL, rows, None).flat() for _ in range(2))
    assert (answers(first) == answers(again)).all()
    assert (answers(first) >= 0).mean() == pytest.approx(0.145, abs=0.02)
    assert (answers(first) != answers(shown(rows))).any()


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 6), min_size=12, max_size=12), st.integers(0, 15)),
        min_size=1,
        max_size=4,
    )
)
def test_what_fits_is_what_one_finds_by_trying_one_after_another(
    lines: list[tuple[list[int], int]],
) -> None:
    expected, left = [], []
    for sizes, room in lines:
        rest = room
        found = []
        for size in sizes:
            found.append(0 < size <= rest)
            rest -= size * found[-1]
        expected.append(found)
        left.append(rest)
    sizes, rooms = (np.array([line[i] for line in lines], np.int64) for i in (0, 1))
    fits, after = fitting(sizes, rooms)
    assert fits.tolist() == expected
    assert after.tolist() == left


@pytest.mark.parametrize(
    ("max_length", "probability", "whole_word", "digest"),
    [
        pytest.param(64, 0.15, True, "47312509f095bd40", id="words"),
        pytest.param(64, 0.15, False, "f4cd56052fe21219", id="tokens"),
        pytest.param(64, 0.9, True, "710c9f9d2d05e105", id="nearly all of them"),
        pytest.param(400, 0.15, True, "f97a706a41015fdb", id="words of long sequences"),
        pytest.param(400, 0.3, False, "1fe56bc70a3301a8", id="tokens of long sequences"),
    ],
)
def test_what_is_hidden_is_what_it_has_always_been(
    max_length: int, probability: float, whole_word: bool, digest: str
) -> None:
    """A resumed job reads on with the batches of the version that began it."""
    held = small.shards(small.texts(300), max_length=max_length, whole_word=whole_word)
    rows = np.arange(held.rows)
    view = small.masked(probability=probability)(held, rows, small.keys(1, 2, rows)).flat()
    told = np.stack([view.tokens.astype(np.int64), answers(view)])
    assert hashlib.sha256(told.tobytes()).hexdigest()[:16] == digest


def test_a_batch_asks_for_the_hidden_tokens_where_packing_has_put_them() -> None:
    viewed = replace(ALL, view=small.masked())
    rows = np.array([5, 2, 9])
    keys = small.keys(1, 0, rows)
    for packing in (False, True):
        batch = batches.collate(viewed, rows, keys=keys, width=128, packing=packing)
        assert batch.asked is not None
        assert batch.samples.tolist() == [5, 2, 9]
        expected = [answers(shown([row])) for row in rows]
        assert batch.asked.answers.tolist() == [a for of in expected for a in of[of >= 0]]
        assert batch.asked.sequences.bincount().tolist() == [(of >= 0).sum() for of in expected]
        flat = batch.ids.flatten()[batch.asked.slots]
        seen = [shown([row]).tokens[of >= 0] for row, of in zip(rows, expected, strict=True)]
        assert flat.tolist() == np.concatenate(seen).tolist()


@pytest.mark.parametrize("rows", [[3, 1, 2, 0], [5, ALL.rows - 1, 9]])
@pytest.mark.parametrize("packing", [False, True])
@pytest.mark.parametrize("held", [ALL, small.shards(small.texts(200), whole_word=False)])
def test_a_batch_made_of_a_grid_is_the_batch_made_token_by_token(
    held: Shards, rows: list[int], packing: bool
) -> None:
    chosen = np.array(rows) % held.rows
    keys, masked = small.keys(1, 0, chosen), small.masked()
    flat = masked(held, chosen, keys).flat()
    viewed = replace(held, view=masked)
    made = batches.collate(viewed, chosen, keys=keys, width=64, packing=packing)
    wanted = batches.collate(flat, np.arange(len(rows)), keys=keys, width=64, packing=packing)
    assert made.asked is not None
    assert wanted.asked is not None
    for name in ("ids", "positions", "segments", "types", "keys", "first", "starts"):
        given, expected = getattr(made, name), getattr(wanted, name)
        assert (given.dtype, given.tolist()) == (expected.dtype, expected.tolist()), name
    for name in ("slots", "answers", "sequences", "shares"):
        given, expected = getattr(made.asked, name), getattr(wanted.asked, name)
        assert (given.dtype, given.tolist()) == (expected.dtype, expected.tolist()), name
    assert (made.tokens, made.most, made.longest) == (wanted.tokens, wanted.most, wanted.longest)


def test_a_tokenizer_without_a_mask_is_refused() -> None:
    from tokenizers import Tokenizer, models

    plain = Tokenizer(models.WordPiece({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[PAD]": 3}))
    with pytest.raises(ConfigError, match=r"no \[MASK\] or <mask> in its vocabulary"):
        masking.of_spec(small.spec(), plain)
