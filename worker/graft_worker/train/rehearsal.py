"""One pass before training: what it keeps in memory, and which weights it leaves out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from graft_worker.data.batch import Batch
from graft_worker.train.precision import Precision
from graft_worker.train.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What one pass over a batch showed."""

    saved: int  # bytes that autograd keeps between forward and backward, weights not counted
    unused: bool  # whether some trainable parameter got no gradient


def rehearse(task: Task, batch: Batch, precision: Precision) -> Rehearsal:
    """Passes the batch through the module once and leaves no trace in it."""
    module = task.module.train()
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}
    ledger = _Ledger({p.untyped_storage().data_ptr() for p in module.parameters()})
    with saved_tensors_hooks(ledger.enter, _unchanged), precision.autocast():
        loss = task.loss(module(batch), batch)
    torch.autograd.backward(loss)
    unused = any(p.grad is None for p in module.parameters() if p.requires_grad)
    module.zero_grad(set_to_none=True)
    with torch.no_grad():
        for name, buffer in module.named_buffers():
            buffer.copy_(before[name])
    return Rehearsal(saved=ledger.total, unused=unused)


class _Ledger:
    """Adds up the storages that autograd saves, each once."""

    def __init__(self, known: set[int]) -> None:
        self.known = known  # weights live anyway
        self.storages: dict[int, int] = {}

    def enter(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self.known:
            self.storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    @property
    def total(self) -> int:
        return sum(self.storages.values())


def _unchanged(tensor: Tensor) -> Tensor:
    return tensor
