"""Probes that learn the labels from a frozen teacher's layers, once for each teacher and its rows.

N rows, L layers and probes, H hidden, C outputs (algorithms.md C2).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graft_worker.apps.problems import loss_sum
from graft_worker.data import order
from graft_worker.data.prepared import Problem
from graft_worker.distill.answers import Asked, Teacher
from graft_worker.distill.passing import passed
from graft_worker.models.probes import Probes, States

if TYPE_CHECKING:
    from graft_api.methods.probes import Probes as Method
    from graft_worker.data.blocks import Array
    from graft_worker.distill.shelf import Shelf
    from graft_worker.distributed.process import Process
    from graft_worker.models.heads import SequenceClassifier

VERSION = 1
ROWS = 1 << 13  # of 12 layers of 768 they take 300 MiB; a linear classifier needs no more
BATCH = 32
SEED = 0  # not the job's: students of every seed hear the same probes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What the probes of a teacher learn, and how."""

    teacher: Teacher
    asked: Asked  # rows with targets
    problem: Problem
    outputs: int
    method: Method

    @property
    def key(self) -> str:
        """64 hex digits of everything that the probes depend on."""
        parts = {
            "version": VERSION,
            "probes of": self.teacher.digest,
            "shards": self.asked.name,
            "epochs": self.method.probe_epochs,
            "rate": self.method.probe_learning_rate,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def probes(lesson: Lesson, *, process: Process, shelf: Shelf) -> Probes:
    """The probes of the teacher, found in the cache or taught; an exchange. The teacher stays.

    Raises:
        StoreError: the cache cannot be written.
    """
    kept = shelf.kept(lesson.key, lambda: _made(lesson, process), process)
    weight, bias = (torch.from_numpy(np.array(kept[name])) for name in ("weight", "bias"))
    layers, outputs, hidden = weight.shape
    found = Probes(layers=layers, hidden=hidden, outputs=outputs)
    found.load_state_dict({"weight": weight, "bias": bias})
    return found


def taught(states: Tensor, targets: Tensor, lesson: Lesson) -> Probes:
    """Probes over states [N, L, H] with targets [N, ...]: Adam from zero, the rate falling to 0.

    Each probe learns by the app's loss and none hears of another.
    """
    rows, layers, hidden = states.shape
    found = Probes(layers=layers, hidden=hidden, outputs=lesson.outputs)
    optimizer = torch.optim.Adam(found.parameters(), lr=lesson.method.probe_learning_rate)
    steps = -(-rows // BATCH) * lesson.method.probe_epochs
    fall = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for step in range(steps):
        chosen = torch.from_numpy(order.samples_at(SEED, step * BATCH, BATCH, rows)[1])
        answers = found(states[chosen]).flatten(0, 1)
        wanted = targets[chosen].repeat_interleave(layers, dim=0)
        optimizer.zero_grad()
        loss = loss_sum(answers, wanted, problem=lesson.problem) / BATCH
        torch.autograd.backward(loss)
        optimizer.step()
        fall.step()
    return found


def even(rows: int) -> NDArray[np.int64]:
    """The numbers of at most ROWS rows, evenly spaced."""
    count = min(rows, ROWS)
    return np.arange(count, dtype=np.int64) * rows // count


def _made(lesson: Lesson, process: Process) -> Mapping[str, Array]:
    shards, model = lesson.asked.shards, cast("SequenceClassifier", lesson.teacher.load())
    rows = even(shards.rows)
    states = passed(States(model), shards, rows, process)
    if not process.leads:
        return {}
    targets = torch.from_numpy(np.array(shards.per_example["target"][rows]))
    found = taught(torch.from_numpy(states), targets, lesson)
    log.info("%d probes have learned from %d rows", len(found.bias), len(rows))
    return {name: tensor.detach().numpy() for name, tensor in found.named_parameters()}
