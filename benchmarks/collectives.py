"""One process of a gang: trains networks in every way that they can be shared, and counts.

`torchrun -m benchmarks.collectives SIZES FOLDER`; rank 0 writes what it has counted.

R rows, W tokens per row, M tokens asked.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from graft_worker.data.batch import Asked, Batch
from graft_worker.distributed import sharding
from graft_worker.distributed.process import Process, join
from graft_worker.models import build
from graft_worker.models.masked import MaskedLanguageModel

NETWORKS = ("albert", "pai-albert", "bert")
TOLD = "counted.json"
WAYS = ("ours", "default", "tuned", "ours-ddp")
STEPS = 3  # the last is counted: the first ones also make buckets and groups
ROWS, WIDTH, EVERY = 2, 16, 5  # of a process; every fifth token is asked
FP32 = 4  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A network ready for its gang: a batch to the summed loss, and what the loss is scaled by."""

    module: nn.Module
    loss: Callable[[Batch], Tensor]
    scale: float


def main(sizes: Mapping[str, int], folder: Path) -> None:
    """Counts every way to share every network, each from the same weights."""
    process = join(os.environ)
    batch = _batch(sizes, process)
    told: dict[str, dict[str, Any]] = {}
    for network in NETWORKS:
        start = folder / network
        if process.leads:
            _library(network, sizes).save_pretrained(start)
        process.broadcast(None)  # the weights are there
        told[network] = {
            way: _trained(_shared(way, start, process), batch, process) for way in WAYS
        }
    if process.leads:
        (folder / TOLD).write_text(json.dumps(told))
    process.close()


def _library(network: str, sizes: Mapping[str, int]) -> Any:
    """The model that all ways begin with."""
    import transformers

    common: dict[str, Any] = {
        "vocab_size": sizes["vocabulary"],
        "hidden_size": sizes["hidden"],
        "num_hidden_layers": sizes["layers"],
        "num_attention_heads": sizes["heads"],
        "intermediate_size": 4 * sizes["hidden"],
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    torch.manual_seed(0)
    if network == "bert":
        return transformers.BertForMaskedLM(transformers.BertConfig(**common))
    inner = 2 if network == "pai-albert" else 1
    return transformers.AlbertForMaskedLM(
        transformers.AlbertConfig(**common, inner_group_num=inner)
    )


def _shared(way: str, start: Path, process: Process) -> Shared:
    return _ours(way, start, process) if way.startswith("ours") else _theirs(way, start, process)


def _ours(way: str, start: Path, process: Process) -> Shared:
    encoder = build.load_own(start, random=False, seed=0, vocabulary=None)
    module = MaskedLanguageModel(encoder, seed=0)
    module.take_head(start)
    strategy = "ddp" if way == "ours-ddp" else "fsdp"
    shared = sharding.shard(module, encoder.units(), strategy, process)

    def loss(batch: Batch) -> Tensor:
        return _surprise(shared.call(batch)[0], batch)

    return Shared(module=module, loss=loss, scale=shared.scale)


def _theirs(way: str, start: Path, process: Process) -> Shared:
    """As tutorials do it: `fully_shard` on each layer, then on the root."""
    from torch.distributed.fsdp import fully_shard
    from transformers import AutoModelForMaskedLM

    model = AutoModelForMaskedLM.from_pretrained(start)
    layers = [
        part for part in model.modules() if type(part).__name__ in ("AlbertLayer", "BertLayer")
    ]
    for part in (*layers, model):
        sharded = fully_shard(
            part, reshard_after_forward=None if part is model else way == "default"
        )
        sharded.set_gradient_divide_factor(1.0)
        sharded.set_force_sum_reduction_for_comms(True)  # gloo has no average
    assert process.world > 1

    def loss(batch: Batch) -> Tensor:
        mask = (batch.segments > 0).long()
        logits = model(input_ids=batch.ids, attention_mask=mask, token_type_ids=batch.types).logits
        assert batch.asked is not None
        return _surprise(logits.flatten(0, 1).index_select(0, batch.asked.slots), batch)

    return Shared(module=model, loss=loss, scale=1.0)


def _surprise(logits: Tensor, batch: Batch) -> Tensor:
    assert batch.asked is not None
    return nn.functional.cross_entropy(logits, batch.asked.answers, reduction="sum")


def _trained(shared: Shared, batch: Batch, process: Process) -> dict[str, Any]:
    """The exchanges of the last step, and the mean loss of every step over all processes."""
    optimizer = torch.optim.SGD(shared.module.parameters(), lr=0.1)
    assert batch.asked is not None
    asked = len(batch.asked.slots) * process.world
    losses = []
    for _ in range(STEPS):
        with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:
            loss = shared.loss(batch) / asked
            torch.autograd.backward(loss * shared.scale)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(process.sum(loss.detach().double().reshape(1))))
    del shared, optimizer, loss
    gc.collect()  # hooks of sharded modules refer back to them: one network at a time in memory
    return {"counted": _exchanges(seen), "losses": losses}


def _exchanges(seen: Any) -> dict[str, float]:
    found: Counter[str] = Counter()
    size = 0
    for event in seen.events():
        name = event.name.removeprefix("c10d::").strip("_")
        found[name] += event.name.startswith("c10d::")
        if name == "allgather_base":
            size += FP32 * prod(event.input_shapes[0])  # the output comes first
    return {
        "gathers": found["allgather_base"],
        "gatheredMegabytes": size / 1e6,
        "scatters": found["reduce_scatter_base"],
        "sums": found["allreduce"],
    }


def _batch(sizes: Mapping[str, int], process: Process) -> Batch:
    """Rows without padding, other ones in every process."""
    draw = torch.Generator().manual_seed(process.rank)
    ids = torch.randint(5, sizes["vocabulary"], (ROWS, WIDTH), generator=draw)
    slots = torch.arange(0, ROWS * WIDTH, EVERY)
    row = torch.arange(ROWS)
    return Batch(
        ids=ids,
        positions=torch.arange(WIDTH).expand(ROWS, WIDTH),
        segments=torch.ones(ROWS, WIDTH, dtype=torch.int32),
        types=torch.zeros(ROWS, WIDTH, dtype=torch.int64),
        keys=torch.zeros(ROWS, WIDTH, dtype=torch.int32),
        first=row * WIDTH,
        samples=row,
        targets={},
        tokens=ROWS * WIDTH,
        most=1,
        asked=Asked(
            slots=slots,
            answers=ids.flatten()[slots],
            sequences=slots // WIDTH,
            shares=torch.ones(len(slots)),
        ),
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]))
