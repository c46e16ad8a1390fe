"""Epochs of batches as transformers' users make them; a lap is one epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import psutil
import torch
from torch.utils.data import DataLoader
from transformers import AutoTokenizer, DataCollatorWithPadding

from benchmarks.child import Baton, Options
from benchmarks.workloads import Workload

Tensors = Mapping[str, torch.Tensor]


class _Encoder:
    """The tokenizer of a workload, bound to its columns and its length."""

    def __init__(self, workload: Workload) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(workload.start)
        self._workload = workload

    def __call__(self, rows: Sequence[Mapping[str, str]]) -> dict[str, list[Any]]:
        """Columns of ids, not padded, with the labels' numbers."""
        texts = ([row[column] for row in rows] for column in self._workload.texts)
        length = self._workload.recipe.max_length
        encoded = self.tokenizer(*texts, truncation=True, max_length=length)
        labels = [self._workload.labels.index(row["label"]) for row in rows]
        return {**encoded, "labels": labels}


def tokenising(options: Options, baton: Baton) -> Mapping[str, Any]:
    """Reads texts and tokenises every batch in the collator."""
    workload = Workload.of(options["workload"])
    encoder = _Encoder(workload)

    def collate(rows: list[Mapping[str, str]]) -> Tensors:
        batch: Tensors = encoder.tokenizer.pad(encoder(rows), return_tensors="pt")
        return batch

    return _epochs(workload.read(options["split"]), collate, options, baton)


def rows(options: Options, baton: Baton) -> Mapping[str, Any]:
    """Collates lists of ids that were tokenised before."""
    workload = Workload.of(options["workload"])
    encoder = _Encoder(workload)
    columns = encoder(workload.read(options["split"]))
    table = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return _epochs(table, DataCollatorWithPadding(encoder.tokenizer), options, baton)


def datasets_rows(options: Options, baton: Baton) -> Mapping[str, Any]:
    """Collates rows of a `datasets` table that was tokenised before."""
    import datasets

    workload = Workload.of(options["workload"])
    encoder = _Encoder(workload)
    table = datasets.Dataset.from_dict(encoder(workload.read(options["split"])))
    return _epochs(table, DataCollatorWithPadding(encoder.tokenizer), options, baton)


def _epochs(
    table: Any,
    collate: Callable[[list[Any]], Tensors],
    options: Options,
    baton: Baton,
) -> Mapping[str, Any]:
    torch.set_num_threads(options["threads"])
    size = Workload.of(options["workload"]).recipe.global_batch
    loader = DataLoader(table, batch_size=size, shuffle=True, collate_fn=collate)
    if options["mode"] == "equality":
        return {"work": _work(loader), "residentBytes": psutil.Process().memory_info().rss}
    baton.begin()
    while True:
        tokens = sum(int(batch["attention_mask"].sum()) for batch in loader)
        baton.lap(tokens=tokens, texts=len(table))


def _work(batches: Iterator[Tensors] | DataLoader[Any]) -> Mapping[str, int]:
    work = {"texts": 0, "tokens": 0, "ids": 0}
    for batch in batches:
        work["texts"] += len(batch["input_ids"])
        work["tokens"] += int(batch["attention_mask"].sum())
        work["ids"] += int((batch["input_ids"] * batch["attention_mask"]).sum())
    return work
