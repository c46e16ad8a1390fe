"""How often a step exchanges what: counted by the profiler, so that no machine's speed matters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from graft_api.training import Length
from graft_worker.distributed import sharding
from graft_worker.distributed.process import Process
from graft_worker.distributed.sharding import Sharded
from graft_worker.models.bert import BertEncoder
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.heads import SequenceClassifier
from graft_worker.train import phases
from graft_worker.train.run import Run
from tests.worker.distributed import gang
from tests.worker.models.texts_of_ids import padded, texts
from tests.worker.train import tiny

LAYERS, WARM = 4, 1
NETWORKS: dict[str, dict[str, Any]] = {
    "bert": {"architecture": "bert"},
    "albert": {"architecture": "albert", "embedding": 8, "groups": 1},
    "albert of two": {"architecture": "albert", "embedding": 8, "groups": 1, "inner": 2},
}
EXCHANGES = {  # of a step: all-gathers, reduce-scatters, all-reduces
    ("albert", "fsdp"): (1, 1, 0),
    ("albert", "by layer"): (2 * LAYERS + 1, 2, 0),
    ("albert", "ddp"): (0, 0, 1),
    ("albert of two", "fsdp"): (1, 1, 0),
    ("albert of two", "by layer"): (4 * LAYERS + 1, 3, 0),
    ("bert", "fsdp"): (2 * LAYERS + 1, LAYERS + 1, 0),
}
ACCUMULATED = {  # of each backward pass of a step of two: reduce-scatters, all-reduces
    "ddp": [(0, 0), (0, 1)],
    "fsdp": [(0, 0), (tiny.LAYERS + 1, 0)],
    "hsdp": [(0, 0), (tiny.LAYERS + 1, tiny.LAYERS + 1)],
}
IDS = texts((9, 5, 12, 7), vocabulary=50)


@dataclass(frozen=True)
class Counted:
    """The exchanges of one step, and the loss of that step over all processes."""

    gathers: int
    scatters: int
    sums: int
    loss: float


def network(name: str) -> SequenceClassifier:
    config = EncoderConfig(
        **NETWORKS[name],
        vocabulary=50,
        hidden=16,
        layers=LAYERS,
        heads=2,
        intermediate=32,
        max_positions=16,
        raw={"initializer_range": 0.2},
    )
    encoder = BertEncoder.random(config, seed=1)
    return SequenceClassifier(encoder, outputs=2, dropout=0.1, seed=1)


def counted(process: Process, sharded: Sharded) -> Counted:
    """The last of some steps: the first ones also make buckets and groups."""
    mine = padded(IDS, samples=range(process.rank, len(IDS), process.world), width=12)
    optimizer = torch.optim.SGD(sharded.module.parameters(), lr=0.05)
    for _ in range(WARM + 1):
        with profile(activities=[ProfilerActivity.CPU]) as seen, sharded.micro_batch(last=True):
            loss = sharded.call(mine).log_softmax(dim=1)[:, 0].sum()
            torch.autograd.backward(loss * sharded.scale)
        optimizer.step()
        optimizer.zero_grad()
    found: Counter[str] = Counter()
    for event in seen.key_averages():
        if event.key.startswith("c10d::"):
            found[event.key.removeprefix("c10d::").strip("_")] += event.count
    total = process.sum(loss.detach().double().reshape(1))
    return Counted(
        gathers=found.pop("allgather_base", 0),
        scatters=found.pop("reduce_scatter_base", 0),
        sums=found.pop("allreduce", 0),
        loss=float(total),
    )


def ways(process: Process) -> dict[tuple[str, str], Counted]:
    """Networks sharded as the worker does it, by each of their layers, and not at all."""
    found = {}
    for name, way in EXCHANGES:
        module = network(name)
        parts = module.encoder.blocks() if way == "by layer" else module.encoder.units()
        strategy = "ddp" if way == "ddp" else "fsdp"
        found[name, way] = counted(process, sharding.shard(module, parts, strategy, process))
    return found


@pytest.fixture(scope="module")
def ranks() -> tuple[dict[tuple[str, str], Counted], ...]:
    return gang.run(2, ways)


@pytest.mark.parametrize(("name", "way"), EXCHANGES)
def test_a_step_gathers_scatters_and_sums_so_often(
    ranks: tuple[dict[tuple[str, str], Counted], ...], name: str, way: str
) -> None:
    for rank in ranks:
        found = rank[name, way]
        assert (found.gathers, found.scatters, found.sums) == EXCHANGES[name, way]


@pytest.mark.parametrize("name", NETWORKS)
def test_however_a_network_is_shared_its_loss_is_that_of_one_process(
    ranks: tuple[dict[tuple[str, str], Counted], ...], name: str
) -> None:
    alone = counted(Process(), sharding.shard(network(name), (), "auto", Process()))
    for found in (of_one for (which, _), of_one in ranks[0].items() if which == name):
        assert found.loss == pytest.approx(alone.loss, abs=1e-5)


class SecondStep:
    """Records the second step of a training: the first one also makes buckets and groups."""

    name = "second step"

    def __init__(self) -> None:
        self.seen = profile(activities=[ProfilerActivity.CPU])

    def after_step(self, run: Run) -> None:
        if run.step == 1:
            self.seen.start()
        elif run.step == 2:
            self.seen.stop()

    def passes(self) -> list[tuple[int, int]]:
        """Reduce-scatters and all-reduces of each backward pass, in their order."""
        events = self.seen.events()
        assert events is not None
        spans = sorted(
            (e.time_range.start, e.time_range.end) for e in events if e.name == phases.BACKWARD
        )
        found = []
        for start, end in spans:
            within = Counter(e.name for e in events if start <= e.time_range.start < end)
            found.append((within["c10d::_reduce_scatter_base_"], within["c10d::allreduce_"]))
        return found


def accumulated(process: Process, root: str) -> dict[str, list[tuple[int, int]]]:
    """What two workers of two exchange in the two micro-batches that each takes in a step."""
    member, found = replace(process, local_world=2), {}
    for strategy in ACCUMULATED:
        second = SecondStep()
        wishes = tiny.training(duration=Length(steps=2), global_batch=16, micro_batch=2)
        tiny.train(
            Path(root) / strategy, member, extra=(second,), strategy=strategy, training=wishes
        )
        found[strategy] = second.passes()
    return found


def test_gradients_are_exchanged_in_the_last_micro_batch_of_a_step_alone(tmp_path: Path) -> None:
    for found in gang.run(4, accumulated, str(tmp_path)):
        assert found == ACCUMULATED
