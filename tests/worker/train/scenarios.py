"""Trainings done once alone and once in each gang: a start of a gang is what costs time."""

from __future__ import annotations

import itertools
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from graft_api.errors import Stopped
from graft_api.run import Checkpoint, CheckpointInterval
from graft_api.training import Length, Optimizer, Training
from graft_worker.checkpoint.store import Checkpoints
from graft_worker.distributed.process import Process
from graft_worker.report.board import Board, SaveRequest
from graft_worker.train import state
from graft_worker.train.run import Run
from graft_worker.train.stop_request import StopRequest
from tests.worker.train import tiny

Weights = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Trained:
    """What a scenario left in one process."""

    losses: list[float]
    weights: Weights  # of rank 0
    metrics: dict[str, float]
    samples: list[int]  # rows that this process trained on, in order
    steps: list[int]
    strategy: str
    flops: list[float]  # of all processes since step 0, after each step


@dataclass
class Rows:
    """Notes the rows of every micro-batch that counts; wraps a task's loss."""

    seen: list[int] = field(default_factory=list)
    name: str = "rows"

    def after_step(self, run: Run) -> None:
        for micro in run.feed.step(run.step - 1).micro_batches:
            if micro.weight:
                self.seen += micro.batch.samples.tolist()


def weights(tensors: dict[str, Tensor]) -> Weights:
    return {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()}


def trained(root: Path, process: Process, **changes: Any) -> Trained:
    rows = Rows()
    outcome = tiny.train(root, process, extra=(rows,), **changes)
    return _trained(outcome, rows)


def _trained(outcome: tiny.Outcome, rows: Rows) -> Trained:
    return Trained(
        losses=outcome.curve.losses,
        weights=weights(dict(outcome.result.weights)),
        metrics=dict(outcome.result.metrics),
        samples=rows.seen,
        steps=outcome.curve.steps,
        strategy=outcome.result.strategy,
        flops=outcome.curve.flops,
    )


def plain(root: Path, process: Process, *, strategy: str) -> Trained:
    """Two and a half epochs over 37 rows: the batches do not fit, and some processes idle."""
    return trained(
        root,
        process,
        strategy=strategy,
        train=tiny.shards(37),
        validation=tiny.shards(11, seed=1),
        training=tiny.training(duration=Length(epochs=2.5)),
    )


def dropout(root: Path, process: Process, *, strategy: str) -> Trained:
    """With torch's own dropout, which is seeded by the micro-batch."""
    task = tiny.TinyTask(module=tiny.Classifier(dropout=0.3))
    return trained(root, process, strategy=strategy, task=task)


def lamb(root: Path, process: Process, *, strategy: str) -> Trained:
    wishes = tiny.training(optimizer=Optimizer(name="lamb", learning_rate=0.05))
    return trained(root, process, strategy=strategy, training=wishes)


def frozen(root: Path, process: Process, *, strategy: str) -> Trained:
    """With the embeddings and the lowest layer frozen."""
    from graft_api.methods.finetune import Finetune

    task = tiny.TinyTask(spec=Finetune(freeze_layers=1, layer_decay=0.5))
    return trained(root, process, strategy=strategy, task=task)


def idle(root: Path, process: Process, *, strategy: str) -> Trained:
    """With a parameter that no batch uses."""
    task = tiny.TinyTask()
    task.module.register_parameter("idle", nn.Parameter(torch.ones(4, 4)))
    return trained(root, process, strategy=strategy, task=task)


@dataclass
class Signal:
    """Sends this process a signal after a step, in one rank only."""

    number: int
    step: int
    rank: int
    name: str = "signal"

    def after_step(self, run: Run) -> None:
        if run.step == self.step and run.work.process.rank == self.rank:
            os.kill(os.getpid(), self.number)


def stopped_and_resumed(root: Path, process: Process, *, strategy: str) -> tuple[str, Trained]:
    """The last rank gets SIGTERM after step 3; then the same training goes on."""
    before = signal.getsignal(signal.SIGTERM)
    stop = StopRequest()
    stop.listen(signal.SIGTERM)
    term = Signal(signal.SIGTERM, step=3, rank=process.world - 1)
    message = ""
    try:
        tiny.train(root, process, extra=(term,), strategy=strategy, stop=stop)
    except Stopped as error:
        message = error.message
    finally:
        signal.signal(signal.SIGTERM, before)
    return message, trained(root, process, strategy=strategy)


def cut(root: Path, process: Process, *, after: int, **changes: Any) -> str:
    """What is said where every process is asked to stop after a step; the state is saved."""
    asked = itertools.count(1)
    try:
        tiny.train(root, process, stop=lambda: next(asked) >= after, **changes)
    except Stopped as error:
        return error.message.partition(":")[0]
    return "not stopped"


@dataclass
class Asking:
    """Asks one rank for a checkpoint after a step, and notes which one every rank knows of."""

    board: Board
    step: int
    rank: int
    known: list[int | None] = field(default_factory=list)
    name: str = "asking"

    def after_step(self, run: Run) -> None:
        if run.step == self.step and run.work.process.rank == self.rank:
            self.board.ask()
        if run.step > self.step and run.work.process.leads:
            run.work.surroundings.checkpoints.wait()
        self.known.append(run.durable.step if run.durable else None)


def asked(root: Path, process: Process, *, strategy: str) -> tuple[list[int | None], Trained]:
    """The last rank is asked for a checkpoint after step 3; no other is due before the end."""
    board = Board.alone()
    asking = Asking(board, step=3, rank=process.world - 1)
    rows = Rows()
    outcome = tiny.train(
        root,
        process,
        extra=(rows, asking),
        strategy=strategy,
        saving=every(100),
        save=SaveRequest(board),
    )
    return asking.known, _trained(outcome, rows)


class Copies(TorchFunctionMode):
    """Counts the elements that are copied from where they are."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in (Tensor.cpu, Tensor.copy_, Tensor.clone, Tensor.to):
            source = args[1] if func is Tensor.copy_ else args[0]
            self.elements += source.numel()
        return func(*args, **(kwargs or {}))


@dataclass
class Copying:
    """Saves after the first step and counts what that copies."""

    name: str = "copying"
    elements: int = 0

    def after_step(self, run: Run) -> None:
        if run.step == 1:
            with Copies() as copies:
                state.save(run)
            self.elements = copies.elements


def copied(root: Path, process: Process, *, strategy: str) -> tuple[int, int]:
    """Elements that a save of the state copies in this process, and those of the state."""
    copying = Copying()
    tiny.train(root, process, extra=(copying,), strategy=strategy, training=short())
    found = Checkpoints(root, keep=3)
    newest = found.newest()
    assert newest is not None
    return copying.elements, sum(tensor.numel() for tensor in found.load(newest)[0].values())


def short() -> Training:
    return tiny.training(duration=Length(steps=1))


def killed(process: Process, root: str) -> None:
    """Killed after step 7 of 12; a checkpoint was begun after step 5."""
    kill = Signal(signal.SIGKILL, step=7, rank=0)
    tiny.train(Path(root), process, extra=(kill,), saving=every(5))


def every(steps: int) -> Checkpoint:
    return Checkpoint(every=CheckpointInterval(steps=steps))


SCENARIOS = {"plain": plain, "dropout": dropout, "lamb": lamb, "frozen": frozen, "idle": idle}


def all_of(
    process: Process, root: str, strategies: tuple[str, ...], names: tuple[str, ...]
) -> dict[str, Any]:
    """The named scenarios under every strategy, by `scenario strategy`."""
    found: dict[str, Any] = {}
    for strategy in strategies:
        for name in names:
            folder = Path(root) / f"{name}-{strategy}"
            found[f"{name} {strategy}"] = SCENARIOS[name](folder, process, strategy=strategy)
        resumed = stopped_and_resumed(Path(root) / f"stop-{strategy}", process, strategy=strategy)
        found[f"stopped {strategy}"] = resumed
        found[f"asked {strategy}"] = asked(
            Path(root) / f"ask-{strategy}", process, strategy=strategy
        )
        found[f"copied {strategy}"] = copied(
            Path(root) / f"copy-{strategy}", process, strategy=strategy
        )
        whole = trained(Path(root) / f"whole-{strategy}", process, strategy=strategy)
        found[f"whole {strategy}"] = whole
    return found


def close(left: Weights, right: Weights) -> float:
    """The largest absolute difference between two sets of weights."""
    assert left.keys() == right.keys()
    return max(float(np.abs(left[name] - right[name]).max()) for name in left)
