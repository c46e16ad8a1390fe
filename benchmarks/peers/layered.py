"""The library's masked language model under `fully_shard`, layer by layer, in a plain loop.

As torch's tutorial of FSDP2 has it. The Trainer's own FSDP asks gloo for a mean, which it lacks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    default_data_collator,
)

from benchmarks.child import Baton, Options
from benchmarks.corpus import SHARE, Corpus
from benchmarks.peers import hugging_face_mlm
from benchmarks.peers.tuned import CONCATENATED

LAYERS = ("AlbertLayer", "BertLayer")
NOUGHT = {"attention_probs_dropout_prob": 0.0}


def pretrain(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C3 with sharded parameters: modes and result as for the Trainer."""
    torch.set_num_threads(options["threads"])
    dist.init_process_group("gloo")
    corpus = Corpus.of(options["corpus"])
    model = _sharded(corpus, equal=options["mode"] == "equality")
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=corpus.recipe.learning_rate,
        eps=1e-6,
        weight_decay=0.0,
        foreach=True,
    )
    losses = []
    baton.begin()
    for step, batch in enumerate(_batches(corpus, options)):
        rate = _rate(step, options) * corpus.recipe.learning_rate
        for group in optimizer.param_groups:
            group["lr"] = rate
        losses.append(_step(model, optimizer, batch, options))
        mask = batch["attention_mask"]
        baton.lap(texts=len(mask), tokens=int(mask.sum()), slots=mask.numel())
    dist.destroy_process_group()
    return {"losses": losses}


def _sharded(corpus: Corpus, *, equal: bool) -> Any:
    rates = {**NOUGHT, "hidden_dropout_prob": 0.0} if equal else NOUGHT
    model = AutoModelForMaskedLM.from_pretrained(corpus.start, **rates)
    for part in (*(p for p in model.modules() if type(p).__name__ in LAYERS), model):
        sharded = fully_shard(part)
        sharded.set_gradient_divide_factor(1.0)
        sharded.set_force_sum_reduction_for_comms(True)
    return model.train()


def _step(model: Any, optimizer: Any, batch: Mapping[str, Any], options: Options) -> float:
    """One update with the mean gradient, clipped as the Trainer clips; the mean loss."""
    with torch.autocast("cpu", torch.bfloat16, enabled=options["dtype"] == "bfloat16"):
        loss = model(**batch).loss / dist.get_world_size()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    told = loss.detach()
    dist.all_reduce(told)
    return float(told)


def _rate(step: int, options: Options) -> float:
    """Linearly down to nothing, as the Trainer's schedule; a race has no end."""
    return 1 - step / options["steps"] if options["mode"] == "equality" else 1.0


def _batches(corpus: Corpus, options: Options) -> Iterator[Mapping[str, Any]]:
    """This process's batches: every `world`th, so that all of a step are the global batch."""
    tokenizer = AutoTokenizer.from_pretrained(corpus.start)
    rank, world = dist.get_rank(), dist.get_world_size()
    size = corpus.recipe.global_batch // world
    if options["mode"] == "equality":
        rows, collate = hugging_face_mlm.equal(corpus), default_data_collator
    else:
        rows = hugging_face_mlm.rows(CONCATENATED, corpus, tokenizer)
        collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=SHARE)
    order = range(rank * size, len(rows) // (size * world) * size * world, size * world)
    for start in order if options["mode"] == "equality" else itertools.cycle(order):
        yield collate(rows[start : start + size])
