"""Passes over a whole split, shared by all processes: logits in the split's order, and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graft_worker.data import batches

if TYPE_CHECKING:
    from graft_worker.data.batch import Batch
    from graft_worker.data.shards import Shards
    from graft_worker.distributed.process import Process
    from graft_worker.train.precision import Precision
    from graft_worker.train.task import Task

TOKENS = {"cpu": 2048, "cuda": 16384}  # slots per batch; more gain nothing and cost memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Logits [N, C] and targets [N, ...] in the order of the split's rows, and the mean loss."""

    logits: Tensor
    targets: Tensor
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """Runs a task's module over splits. `in_step`: every forward is an exchange (FSDP2)."""

    task: Task
    process: Process
    precision: Precision
    width: int
    packing: bool
    in_step: bool = False
    beat: Callable[[], None] = lambda: None  # called at every batch

    def metrics(self, shards: Shards) -> Mapping[str, float]:
        """The loss and the task's metrics over the whole split, in every process."""
        outputs = self.outputs(shards)
        metrics: dict[str, float] = {}
        if outputs is not None:
            measured = self.task.metrics(outputs.logits, outputs.targets)
            metrics = {"loss": outputs.loss} | {k: float(v) for k, v in measured.items()}
        return self.process.broadcast(metrics)

    @torch.no_grad()
    def outputs(self, shards: Shards) -> Outputs | None:
        """What the module says of every row, on rank 0; None elsewhere."""
        module = self.task.module.eval()
        parts = [self._part(batch) for batch in self._batches(shards)]
        module.train()
        gathered = self.process.gather([part for part in parts if part is not None])
        found = [part for of_rank in gathered for part in of_rank]
        return _joined(found) if self.process.leads else None

    def _part(self, turn: _Turn) -> _Part | None:
        self.beat()
        batch = turn.batch.to(self.process.device)
        with self.precision.autocast():
            logits = self.task.module(batch)
            loss = self.task.loss(logits, batch)
        if not (turn.counts and self.process.counts):
            return None
        values, targets = self.task.kept(logits, batch)
        return _Part(
            rows=batch.samples.cpu(),
            logits=values.float().cpu(),
            targets=targets.cpu(),
            loss=float(loss),
        )

    def _batches(self, shards: Shards) -> Iterator[_Turn]:
        own = batches.sequential(
            shards,
            rank=self.process.data_rank,
            world=self.process.data_world,
            tokens=TOKENS[self.process.device.type],
            width=self.width,
            packing=self.packing,
        )
        if not self.in_step:
            return (_Turn(batch=batch, counts=True) for batch in own)
        first = batches.collate(shards, [0], keys=None, width=self.width, packing=self.packing)
        return _in_step(own, self.process, spare=first)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    batch: Batch
    counts: bool  # or is passed for the company's sake


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    rows: Tensor
    logits: Tensor
    targets: Tensor
    loss: float


def _in_step(own: Iterator[Batch], process: Process, *, spare: Batch) -> Iterator[_Turn]:
    """Equally many turns for all processes, the last ones perhaps with the spare batch."""
    while True:
        batch = next(own, None)
        if not process.any(batch is not None):
            return
        yield _Turn(batch=spare if batch is None else batch, counts=batch is not None)


def _joined(parts: list[_Part]) -> Outputs:
    order = torch.argsort(torch.cat([part.rows for part in parts]))
    return Outputs(
        logits=torch.cat([part.logits for part in parts])[order],
        targets=torch.cat([part.targets for part in parts])[order],
        loss=sum(part.loss for part in parts) / len(order),
    )
