"""Epochs of batches through transformers' collator for masked language modelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, DataCollatorForLanguageModeling

from benchmarks.child import Baton, Options
from benchmarks.corpus import SHARE, Corpus


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How rows come to the collator and what it makes of them."""

    numpy: bool  # its numpy mode, on arrays
    marked: bool  # special tokens found once, before training, not in every batch


def mask(form: Form, options: Options, baton: Baton) -> Mapping[str, Any]:
    """Collates the sequences that ours has written, in their order; a lap is an epoch.

    In mode `equality` the result counts what an epoch holds.
    """
    torch.set_num_threads(options["threads"])
    corpus = Corpus.of(options["corpus"])
    tokenizer = AutoTokenizer.from_pretrained(corpus.start)
    # Whole words forbid the other replacements; without a value of 1 it warns, then sets it.
    shares = (1.0, 0.0) if corpus.whole_word else (0.8, 0.1)
    collate = DataCollatorForLanguageModeling(
        tokenizer,
        mlm_probability=SHARE,
        whole_word_mask=corpus.whole_word,
        return_tensors="np" if form.numpy else "pt",
        mask_replace_prob=shares[0],
        random_replace_prob=shares[1],
    )
    tokens, rows = _rows(form, corpus, set(tokenizer.all_special_ids))
    size = corpus.recipe.global_batch
    groups = [rows[at : at + size] for at in range(0, len(rows), size)]
    torch.manual_seed(options["seed"])
    if options["mode"] == "equality":
        hidden = _hidden(collate, groups)
        return {"texts": len(rows), "tokens": tokens, "hidden": hidden}
    baton.begin()
    while True:
        for group in groups:
            collate([dict(row) for row in group])
        baton.lap(tokens=tokens)


def _hidden(collate: Any, groups: list[list[dict[str, Any]]]) -> int:
    batches = (collate([dict(row) for row in group]) for group in groups)
    return sum(int((np.asarray(batch["labels"]) >= 0).sum()) for batch in batches)


def _rows(form: Form, corpus: Corpus, special: set[int]) -> tuple[int, list[dict[str, Any]]]:
    """Real tokens, and the sequences. With whole words also offsets, of which the collator reads
    where words end, all of one width: it pads no offsets.
    """
    with np.load(corpus.equal) as found:
        tokens, offsets, starts = found["tokens"], found["offsets"], found["starts"]
    marks = np.isin(tokens, sorted(special))
    begins = np.cumsum(1 + (starts | marks))  # a gap before every word
    columns: dict[str, Any] = {"input_ids": tokens.astype(np.int64)}
    if form.marked or corpus.whole_word:
        columns["special_tokens_mask"] = marks.astype(np.int64)
    if corpus.whole_word:
        columns["offset_mapping"] = np.stack([begins, begins + 1], 1)
    width = corpus.recipe.max_length if corpus.whole_word else 0
    rows = [
        {name: _cut(name, column[at:end], width, form) for name, column in columns.items()}
        for at, end in pairwise(offsets)
    ]
    return len(tokens), rows


def _cut(name: str, values: Any, width: int, form: Form) -> Any:
    more = [(0, max(0, width - len(values))), *[(0, 0)] * (values.ndim - 1)]
    padded = np.pad(values, more, constant_values=int(name == "special_tokens_mask"))
    return padded if form.numpy else padded.tolist()
