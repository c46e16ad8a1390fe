"""A training whose number of processes changes on the way learns what one process does."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from torch import Tensor

from graft_api.errors import Stopped
from graft_api.training import Length
from graft_worker.data.batch import Batch
from graft_worker.distributed.process import Process
from graft_worker.train.run import Run
from tests.worker.distributed import gang
from tests.worker.train import tiny
from tests.worker.train.split_networks import BERT, classifier

ROWS, BATCH, EPOCHS = 35, 7, 3  # four micro-batches a step: two of three processes idle in one turn
STEPS = ROWS // BATCH  # of an epoch
CHANGES = (3, 8)  # steps: in the first epoch and in the second
TOLERANCE = 1e-5


@dataclass
class Learned:
    """The rows of every step by what they gave to its gradient, and its loss.

    A row counts where its loss has the weight in the gradient that is due to each of the batch.
    What only keeps the other processes company has the weight 0.
    """

    name: str = "learned"
    rows: dict[int, list[int]] = field(default_factory=dict)
    losses: dict[int, float] = field(default_factory=dict)
    packed: int = 0  # sequences in the fullest row
    _weighed: list[tuple[float, list[int]]] = field(default_factory=list)

    def watch(self, loss: Tensor, batch: Batch) -> Tensor:
        def weigh(gradient: Tensor) -> None:
            self._weighed.append((float(gradient), batch.samples.tolist()))

        if loss.requires_grad:
            loss.register_hook(weigh)
        self.packed = max(self.packed, batch.most)
        return loss

    def after_step(self, run: Run) -> None:
        due = run.sharded.scale / BATCH
        self.rows[run.step] = [
            row
            for weight, rows in self._weighed
            if math.isclose(weight, due, rel_tol=1e-5)
            for row in rows
        ]
        assert run.loss is not None
        self.losses[run.step] = run.loss
        self._weighed.clear()


def leg(process: Process, root: str, strategy: str, steps: int | None) -> Learned:
    """Goes on from where the folder stands, for so many steps or to the end."""
    learned, asked = Learned(), itertools.count(1)
    try:
        tiny.train(
            Path(root),
            process,
            extra=(learned,),
            task=tiny.TinyTask(module=classifier(BERT), spoiled=learned.watch),
            train=tiny.shards(ROWS),
            width=40,  # two of the longest
            packing=True,
            strategy=strategy,
            training=tiny.training(duration=Length(epochs=EPOCHS), global_batch=BATCH),
            stop=lambda: steps is not None and next(asked) >= steps,
        )
    except Stopped:
        assert steps is not None
    return learned


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    return leg(Process(), str(tmp_path_factory.mktemp("alone")), "auto", None)


@pytest.fixture(scope="module")
def legs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Learned, ...]]:
    """By one process, then by three, then by two; all ranks of each."""
    root = str(tmp_path_factory.mktemp("changing"))
    first, second = CHANGES
    return [
        (leg(Process(), root, "auto", first),),
        gang.run(3, leg, root, "fsdp", second - first),
        gang.run(2, leg, root, "ddp", None),
    ]


def test_every_epoch_reads_every_row_once_whatever_the_number_of_processes(
    alone: Learned, legs: list[tuple[Learned, ...]]
) -> None:
    assert [[*ranks[0].rows] for ranks in legs] == [
        [*range(1, CHANGES[0] + 1)],
        [*range(CHANGES[0] + 1, CHANGES[1] + 1)],
        [*range(CHANGES[1] + 1, EPOCHS * STEPS + 1)],
    ]
    assert {rank.packed for ranks in legs for rank in ranks} == {2}
    found = {
        step: sorted(row for rank in ranks for row in rank.rows[step])
        for ranks in legs
        for step in ranks[0].rows
    }
    assert found == {step: sorted(rows) for step, rows in alone.rows.items()}
    for epoch in range(EPOCHS):
        steps = range(epoch * STEPS + 1, (epoch + 1) * STEPS + 1)
        assert sorted(row for step in steps for row in found[step]) == [*range(ROWS)]


def test_a_changing_number_of_processes_follows_the_curve_of_one(
    alone: Learned, legs: list[tuple[Learned, ...]]
) -> None:
    found = {step: loss for ranks in legs for step, loss in ranks[0].losses.items()}
    assert found == pytest.approx(alone.losses, abs=TOLERANCE)
