"""Pairs of segments: cut at sentences, spoilt in half of the cases, drawn from what they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from transformers import AutoModelForPreTraining

from graft_worker.data import batches
from graft_worker.data.batch import Batch
from graft_worker.data.blocks import Block
from graft_worker.data.rows import Row
from graft_worker.data.shards import ANSWER, Shards
from graft_worker.models.special import special
from graft_worker.pretrain import sentences
from graft_worker.pretrain.pairs import FRAME, SPOILT, Pairs
from graft_worker.pretrain.sentences import DOCUMENT, SENTENCE, STARTS
from graft_worker.pretrain.task import MaskedTask
from tests.worker.pretrain import small
from tests.worker.pretrain.models import model, published

LENGTH = 48
LINES = small.texts(1200)


def stored(lines: list[str], *, of_document: int = 8) -> Shards:
    """The lines as sequences of documents of so many lines."""
    rows = [
        Row({"text": line, "document": number // of_document}, "made.txt", number + 1)
        for number, line in enumerate(lines)
    ]
    form = small.form(max_length=LENGTH, document="document", frame=FRAME)
    blocks = list(sentences.sequences(small.tokenizer(), form)(iter([rows])))
    return Shards.in_memory(joined(blocks))


def joined(blocks: list[Block]) -> Block:
    def of(name: str) -> dict[str, Any]:
        parts = [getattr(block, name) for block in blocks]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    return Block(
        tokens=np.concatenate([block.tokens for block in blocks]),
        lengths=np.concatenate([block.lengths for block in blocks]),
        per_token=of("per_token"),
        per_example=of("per_example"),
    )


ALL = stored(LINES)
ROWS = np.arange(ALL.rows)


def pairs(spoil: Literal["order", "next"], **objective: Any) -> Pairs:
    marks = special(small.tokenizer())
    hidden = small.masked(**objective)
    return Pairs(masking=hidden, spoil=spoil, cls=marks.cls, sep=marks.sep)


def shown(spoil: Literal["order", "next"], rows: Any = ROWS, *, epoch: int = 0) -> Shards:
    chosen = np.asarray(rows)
    return pairs(spoil)(ALL, chosen, small.keys(1, epoch, chosen)).flat()


def true_tokens(view: Shards) -> list[list[int]]:
    """The tokens of each pair with what was hidden put back."""
    answers = view.per_token[ANSWER]
    whole = np.where(answers >= 0, answers, view.tokens.astype(np.int64))
    return [part.tolist() for part in np.split(whole, view.offsets[1:-1])]


def segments(pair: list[int]) -> tuple[list[int], list[int]]:
    """A and B of `[CLS] A [SEP] B [SEP]`."""
    assert (pair[0], pair[-1]) == (2, 3)
    middle = pair.index(3)
    return pair[1:middle], pair[middle + 1 : -1]


def test_sequences_keep_to_a_document_and_to_whole_sentences() -> None:
    ends = ALL.offsets[1:] - 1
    firsts = ALL.offsets[:-1] + 1
    assert (ALL.per_token[STARTS][firsts] == SENTENCE).all()
    assert (ALL.tokens[ends] == 3).all()
    assert ALL.lengths.max() <= LENGTH - 1
    plain = small.tokenizer().encode_batch(LINES, add_special_tokens=False)
    for number in (0, 17, 149):
        expected = [i for e in plain[8 * number : 8 * number + 8] for i in e.ids]
        mine = np.flatnonzero(ALL.per_example[DOCUMENT] == number)
        assert [int(i) for row in mine for i in ALL.tokens_of(row)[1:-1]] == expected


def test_a_pair_is_the_sequence_cut_at_a_sentence_or_its_halves_in_the_other_order() -> None:
    view = shown("order")
    spoilt = view.per_example[SPOILT]
    assert spoilt.mean() == pytest.approx(0.5, abs=0.08)
    for row, pair in enumerate(true_tokens(view)):
        a, b = segments(pair)
        if spoilt[row]:
            a, b = b, a
        assert a + b == ALL.tokens_of(row)[1:-1].tolist()
        place = slice(int(ALL.offsets[row]) + 1, int(ALL.offsets[row + 1]) - 1)
        begin = np.flatnonzero(ALL.per_token[STARTS][place] == SENTENCE)[1:]
        assert len(a) in begin or not len(begin)


def test_a_spoilt_next_sentence_is_of_another_document() -> None:
    view = shown("next")
    spoilt = view.per_example[SPOILT]
    assert spoilt.mean() == pytest.approx(0.5, abs=0.08)
    whole = [ALL.tokens_of(row)[1:-1].tolist() for row in range(ALL.rows)]
    for row, pair in enumerate(true_tokens(view)):
        a, b = segments(pair)
        assert whole[row][: len(a)] == a
        assert (a + b == whole[row]) == (not spoilt[row])
        assert len(pair) <= LENGTH


def test_where_there_is_one_document_nothing_is_spoilt() -> None:
    alone = stored(LINES[:40], of_document=100)
    rows = np.arange(alone.rows)
    view = pairs("next")(alone, rows, small.keys(1, 0, rows))
    assert not view.per_example[SPOILT].any()


def test_types_tell_the_segments_apart_and_marks_are_never_hidden() -> None:
    view = shown("order")
    types = np.split(view.per_token["types"], view.offsets[1:-1])
    for pair, kinds in zip(true_tokens(view)[:50], types, strict=False):
        middle = pair.index(3) + 1
        assert kinds.tolist() == [0] * middle + [1] * (len(pair) - middle)
    hidden = view.per_token[ANSWER] >= 0
    assert not np.isin(view.per_token[ANSWER][hidden], [2, 3]).any()
    assert hidden.mean() == pytest.approx(0.14, abs=0.02)


def test_pairs_change_with_the_epoch_and_with_nothing_else() -> None:
    first, again, later = shown("next"), shown("next"), shown("next", epoch=1)
    assert first.tokens.tolist() == again.tokens.tolist()
    assert first.per_example[SPOILT].tolist() != later.per_example[SPOILT].tolist()
    alone = shown("next", [9])
    place = slice(int(first.offsets[9]), int(first.offsets[10]))
    assert alone.tokens.tolist() == first.tokens[place].tolist()
    fixed = [pairs("next", online=False)(ALL, ROWS, small.keys(1, e, ROWS)).flat() for e in (0, 1)]
    assert fixed[0].tokens.tolist() == fixed[1].tokens.tolist()


@pytest.mark.parametrize(
    ("changed", "name", "told"),
    [
        ({}, "BertForPreTraining", "seq_relationship_logits"),
        (
            {"architecture": "albert", "embedding": 8, "groups": 1, "inner": 2},
            "AlbertForPreTraining",
            "sop_logits",
        ),
    ],
    ids=["bert", "albert"],
)
def test_the_library_reads_both_heads_and_agrees(
    tmp_path: Path, changed: dict[str, Any], name: str, told: str
) -> None:
    module = model(pairs=True, **changed)
    folder = published(module, tmp_path / "made", pooler=True)
    theirs, report = AutoModelForPreTraining.from_pretrained(folder, output_loading_info=True)
    assert type(theirs).__name__ == name
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    given = batch()
    assert given.asked is not None
    with torch.no_grad():
        ours = module(given)
        said: Any = theirs.eval()(
            input_ids=given.ids,
            attention_mask=(given.segments > 0).long(),
            token_type_ids=given.types,
        )
    asked = said.prediction_logits.flatten(0, 1)[given.asked.slots]
    torch.testing.assert_close(ours[0], asked, atol=1e-5, rtol=0)
    torch.testing.assert_close(ours[1], said[told], atol=1e-5, rtol=0)


def test_the_losses_of_words_and_of_pairs_are_added() -> None:
    module, given = model(pairs=True), batch()
    task = MaskedTask(module=module, pairs="sop_accuracy")
    with torch.no_grad():
        ours = module(given)
    spoilt = given.targets[SPOILT]
    pair_loss = torch.nn.functional.cross_entropy(ours[1], spoilt, reduction="sum")
    masked_loss = MaskedTask(module=module).loss(ours, given)
    torch.testing.assert_close(task.loss(ours, given), pair_loss + masked_loss)
    found = task.metrics(*task.kept(ours, given))["sop_accuracy"]
    assert found == pytest.approx(float((ours[1].argmax(1) == spoilt).float().mean()))


def batch() -> Batch:
    rows = np.arange(6)
    viewed = replace(ALL, view=pairs("order"))
    return batches.collate(viewed, rows, keys=small.keys(1, 0, rows), width=64, packing=False)
