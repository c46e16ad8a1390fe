"""Everything between a handed-over piece of work and its first step."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from graft_worker.distributed import sharding
from graft_worker.models import arithmetic, dividing
from graft_worker.train import (
    compiled_code,
    durations,
    micro_batch,
    optimizers,
    precision,
    rehearsal,
    schedules,
    state,
)
from graft_worker.train.callbacks.hooks import Callback, Callbacks
from graft_worker.train.compilation import compile_blocks, decided
from graft_worker.train.evaluation import Evaluator
from graft_worker.train.feed import Feed
from graft_worker.train.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn

    from graft_worker.distributed.process import Process
    from graft_worker.train.precision import Precision
    from graft_worker.train.settings import Work

REHEARSED = 2  # sequences

log = logging.getLogger(__name__)


def begin(work: Work, callbacks: Sequence[Callback]) -> Run:
    """A run that stands before its first step, or where its newest checkpoint left it.

    Raises:
        ConfigError: a wish of the job cannot be met on this machine.
        StoreError: the checkpoint is damaged or another job's.
    """
    _split(work.task.module, work.process)
    groups = _named(work.task.module, work.task.parameter_groups(_weight_decay(work)))
    work.task.module.to(work.process.device)
    saved = state.newest(work)
    values = saved.values if saved else {}
    run = _assembled(work, groups, values, callbacks)
    _settle(run)
    if saved:
        state.restore(run, saved)
    return run


def _assembled(
    work: Work, groups: optimizers.Groups, values: state.Values, callbacks: Sequence[Callback]
) -> Run:
    chosen = _precision(work, values)
    feed = _feed(work)
    sharded, feed = _prepared(work, feed, chosen, values)
    module = sharded.module
    total = _steps(feed)
    return Run(
        work=work,
        sharded=sharded,
        optimizer=optimizers.build(
            work.recipe.training.optimizer, _current(module, groups), copies=sharded.copies
        ),
        factor=schedules.build(work.recipe.training.schedule, total),
        precision=chosen,
        scaler=chosen.scaler(),
        feed=feed,
        evaluator=evaluator(work, chosen, in_step=sharded.in_step),
        callbacks=Callbacks(callbacks),
        total_steps=total,
        parameters=tuple(p for p in module.parameters() if p.requires_grad),
        arithmetic=arithmetic.of_network(module),
    )


def evaluator(work: Work, chosen: Precision, *, in_step: bool) -> Evaluator:
    """What passes the work's module over whole splits."""
    return Evaluator(
        task=work.task,
        process=work.process,
        precision=chosen,
        width=work.examples.width,
        packing=work.examples.packing,
        in_step=in_step,
        beat=work.surroundings.heart.again,
    )


def _prepared(
    work: Work, feed: Feed, chosen: Precision, values: state.Values
) -> tuple[sharding.Sharded, Feed]:
    """The shared module, and the feed with its micro-batch, after one pass that measures both."""
    module, process = work.task.module, work.process
    batch = feed.longest(REHEARSED).to(process.device)
    seen = rehearsal.rehearse(work.task, batch, chosen)
    sequence = micro_batch.Sequence(
        bytes=seen.saved / len(batch.samples), tokens=float(np.mean(feed.shards.lengths))
    )
    size = _micro_batch(work, values, sequence)
    # Exchanges within a layer are not compiled.
    whole = process.tensor == 1
    if whole and decided(work.recipe.training.compile, process.device, steps=_steps(feed)):
        _compile(work, lambda: rehearsal.rehearse(work.task, batch, chosen))
    units = _parts(module, "units")
    shared = sharding.shard(module, units, work.recipe.strategy, process, unused=seen.unused)
    return shared, replace(feed, micro_batch=size)


def _compile(work: Work, attempt: Callable[[], object]) -> None:
    """The blocks run compiled code where they can, kept for the next attempt of the job."""
    around, kept = work.surroundings, dict[str, Path]()
    if around.compiled:
        machine = compiled_code.machine(work.process.device)
        kept = compiled_code.folders(around.compiled, machine, around.environ)
        compiled_code.use(kept, around.environ)
    compile_blocks(
        _parts(work.task.module, "blocks"),
        attempt=attempt,
        failed=lambda: compiled_code.drop(kept.values()),
    )


def _steps(feed: Feed) -> int:
    return durations.steps(feed.positions, feed.global_batch)


def _precision(work: Work, values: state.Values) -> Precision:
    # What was chosen once stays: a probe that turned out differently would change the numbers.
    wish = values.get("precision", work.recipe.training.precision)
    device = work.process.device
    name = precision.choose(wish, device).name if work.process.leads else None
    agreed = work.process.broadcast(name)
    return precision.choose(str(agreed), device)


def _micro_batch(work: Work, values: state.Values, sequence: micro_batch.Sequence) -> int:
    wish = values.get("microBatch", work.recipe.training.micro_batch)
    if wish != "auto":
        return int(wish)
    return micro_batch.probe(
        sequence,
        work.task.module,
        work.process,
        global_batch=work.recipe.training.global_batch,
        world=max(work.recipe.largest_world, work.process.data_world),
    )


def _feed(work: Work) -> Feed:
    training, shards = work.recipe.training, work.examples.train
    return Feed(
        shards=shards,
        seed=training.seed,
        global_batch=training.global_batch,
        micro_batch=1,
        positions=durations.positions(
            training.duration,
            rows=shards.rows,
            tokens=len(shards.tokens),
            global_batch=training.global_batch,
        ),
        width=work.examples.width,
        packing=work.examples.packing,
        rank=work.process.data_rank,
        world=work.process.data_world,
    )


def _settle(run: Run) -> None:
    """One pass of weight 0 through the shared module, dropped.

    DDP orders its buckets anew after the first backward. Sums of three numbers depend on their
    order, so that a resumed run would differ in its first step.
    """
    if run.work.process.world == 1:
        return
    batch = run.feed.longest(1).to(run.work.process.device)
    with run.sharded.micro_batch(last=True):
        with run.precision.autocast():
            loss = run.work.task.loss(run.sharded.call(batch), batch)
        torch.autograd.backward(loss * 0.0)
    run.optimizer.zero_grad()


def _split(module: nn.Module, process: Process) -> None:
    """Leaves of each layer what this process computes of it."""
    if process.tensor == 1:
        return
    encoder: Any = getattr(module, "encoder", None)
    if not hasattr(encoder, "split"):
        raise dividing.unable(type(encoder).__name__, process.tensor, ())
    encoder.split(process)


def _parts(module: nn.Module, which: str) -> Iterable[nn.Module]:
    """Blocks or units of the module's encoder."""
    found: Any = getattr(getattr(module, "encoder", None), which, None)
    return tuple(found()) if found else ()


def _weight_decay(work: Work) -> float:
    return work.recipe.training.optimizer.weight_decay


def _named(module: nn.Module, groups: optimizers.Groups) -> optimizers.Groups:
    """The groups with names in place of parameters: sharding makes new parameters of old names."""
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    return [group | {"params": [names[id(p)] for p in group["params"]]} for group in groups]


def _current(module: nn.Module, groups: optimizers.Groups) -> optimizers.Groups:
    parameters = dict(module.named_parameters())
    return [group | {"params": [parameters[name] for name in group["params"]]} for group in groups]
