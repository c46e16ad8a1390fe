"""The real transformers.Trainer with BertForMaskedLM, as run_mlm prepares its text."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    default_data_collator,
)

from benchmarks.child import Baton, Options
from benchmarks.corpus import SHARE, Corpus
from benchmarks.peers import hugging_face
from benchmarks.peers.hugging_face import Features, Recipe


def pretrain(recipe: Recipe, options: Options, baton: Baton) -> Mapping[str, Any]:
    """Trains as the options' `mode` says; the result has the losses.

    Modes: `race` runs on the corpus until it is stopped; `equality` takes the sequences that ours
    has written, words hidden, without dropout, and logs every loss.
    """
    torch.set_num_threads(options["threads"])
    corpus, given = Corpus.of(options["corpus"]), options["mode"] == "equality"
    tokenizer = AutoTokenizer.from_pretrained(corpus.start)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=SHARE)
    with tempfile.TemporaryDirectory() as folder:
        laps = hugging_face.Laps(baton, recipe.micro_batches)
        trainer = Trainer(
            model=_model(recipe, corpus, dropout=not given),
            args=hugging_face.arguments(recipe, corpus.recipe, options, folder),
            train_dataset=equal(corpus) if given else rows(recipe, corpus, tokenizer),
            data_collator=laps.counting(default_data_collator if given else collate),
            callbacks=[laps],
        )
        # BertForMaskedLM takes the mean of each micro-batch, see `hugging_face.finetune`.
        trainer.loss_is_scaled_for_ga = recipe.micro_batches == 1
        trainer.train()
        return {"losses": laps.losses}


def _model(recipe: Recipe, corpus: Corpus, *, dropout: bool) -> Any:
    chosen = {} if recipe.attention_dropout else {"attention_probs_dropout_prob": 0.0}
    if not dropout:
        chosen = {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0}
    return AutoModelForMaskedLM.from_pretrained(corpus.start, **chosen)


def rows(recipe: Recipe, corpus: Corpus, tokenizer: Any) -> Features:
    """Lines padded to the width, or all lines end to end and cut to it."""
    width = corpus.recipe.max_length
    if recipe.padding == "max_length":
        encoded = tokenizer(
            corpus.lines(),
            padding="max_length",
            truncation=True,
            max_length=width,
            return_special_tokens_mask=True,
        )
        count = len(encoded["input_ids"])
        return [{name: values[i] for name, values in encoded.items()} for i in range(count)]
    encoded = tokenizer(corpus.lines(), return_special_tokens_mask=True)
    joined = {name: list(chain.from_iterable(values)) for name, values in encoded.items()}
    whole = len(joined["input_ids"]) // width * width
    return [
        {name: values[i : i + width] for name, values in joined.items()}
        for i in range(0, whole, width)
    ]


def equal(corpus: Corpus) -> Features:
    """The sequences that ours has written, words hidden."""
    with np.load(corpus.equal) as found:
        ids, labels = found["ids"], found["labels"]
    real = ids > 0  # the id of [PAD] is 0 in these vocabularies
    return [
        {"input_ids": i, "attention_mask": r.astype(np.int64), "labels": a}
        for i, r, a in zip(ids, real, labels, strict=True)
    ]
