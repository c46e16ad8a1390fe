"""The training loop: steps over a global batch, whatever the number of processes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from graft_worker.data import order
from graft_worker.data.prefetch import Prefetcher
from graft_worker.distributed import full_state, norms
from graft_worker.train import durable, losses, optimizers, phases, setup
from graft_worker.train.callbacks import standard
from graft_worker.train.result import TrainingResult

if TYPE_CHECKING:
    from graft_worker.train.callbacks.hooks import Callback
    from graft_worker.train.feed import MicroBatch, Step
    from graft_worker.train.run import Run
    from graft_worker.train.settings import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """Trains a task to the end of the job's duration, from its newest checkpoint if there is one.

    Every process of the gang runs one. `extra` callbacks act before those that every job has.
    """

    work: Work
    extra: tuple[Callback, ...] = ()

    def run(self) -> TrainingResult:
        """What the training leaves; the task's module then holds the final weights.

        Raises:
            Stopped: asked to stop, with the state saved.
            ConfigError: a wish of the job cannot be met.
            StoreError: the state cannot be saved or read.
            GraftError: the loss stays infinite.
        """
        callbacks = standard.Standard.of(self.work)
        run = setup.begin(self.work, (*self.extra, *callbacks.all))
        run.counters = run.counters.plus(**losses.of_start(run))
        _steps(run)
        self.work.surroundings.heart.rest(run.step)
        run.callbacks.at_end(run)
        return _result(run, callbacks)


def _steps(run: Run) -> None:
    if run.finished():
        return
    clock = run.work.surroundings.clock
    run.began = run.work.surroundings.now()
    with Prefetcher(run.feed.steps(run.step, run.total_steps)) as ahead:
        began = clock()
        while (step := _next(ahead)) is not None:
            waited = clock() - began
            wishes = _train(run, step)
            seconds = clock() - began
            run.timing.done(seconds, waited=waited)
            run.work.surroundings.heart.beat(run.step, long=run.timing.long)
            run.counters = run.counters.plus(seconds=seconds, nonfinite=run.skipped)
            run.callbacks.after_step(run, wishes)
            if run.finished():
                return
            began = clock()


def _next(ahead: Prefetcher[Step]) -> Step | None:
    with phases.phase(phases.FEED):
        return next(ahead, None)


def _train(run: Run, step: Step) -> list[float]:
    """One optimizer step. Returns the wishes of the callbacks, summed over all processes."""
    run.learning_rate = run.work.recipe.training.optimizer.learning_rate * run.factor(run.step)
    optimizers.set_learning_rate(run.optimizer, run.learning_rate)
    loss = _backward(run, step)
    with phases.phase(phases.UPDATE):
        norm = _clipped(run)
    with phases.phase(phases.EXCHANGE):
        loss_sum, tokens, slots, flops, norm_value, *wishes = _shared(run, step, loss, norm)
    run.loss = loss_sum / step.sequences
    # fp16 overflows now and then: its scaler skips such a step by itself and lowers the scale.
    run.skipped = not (math.isfinite(run.loss) and (math.isfinite(norm_value) or _scaled(run)))
    with phases.phase(phases.UPDATE):
        _update(run)
    run.step += 1
    run.counters = run.counters.plus(
        tokens=int(tokens), slots=int(slots), samples=step.sequences, flops=flops
    )
    return wishes


def _backward(run: Run, step: Step) -> Tensor:
    """Leaves the mean gradient of the global batch in the parameters.

    Returns this process's sum of losses [1].
    """
    device = run.work.process.device
    total = torch.zeros(1, dtype=torch.float64, device=device)
    final = len(step.micro_batches) - 1
    scale = run.sharded.scale / step.sequences
    for turn, micro in enumerate(step.micro_batches):
        _seed(run, step, micro)
        batch = micro.batch.to(device)
        with run.sharded.micro_batch(last=turn == final):
            with run.precision.autocast(), phases.phase(phases.FORWARD):
                loss = run.work.task.loss(run.sharded.call(batch), batch)
            with phases.phase(phases.BACKWARD):
                torch.autograd.backward(run.scaler.scale(loss * (scale * micro.weight)))
        total += loss.detach() * micro.weight
    return total


def _seed(run: Run, step: Step, micro: MicroBatch) -> None:
    # Whatever draws from torch's own generators is then the same for any world and after a resume.
    torch.manual_seed(int(order.key(run.feed.seed, step.number, micro.index)))


def _clipped(run: Run) -> Tensor:
    """The norm of the whole gradient [1] before clipping; 0 where the job does not clip."""
    run.scaler.unscale_(run.optimizer)  # type: ignore[arg-type]  # has the groups it reads
    limit = run.work.recipe.training.gradient_clip
    if not limit:
        return torch.zeros(1, device=run.work.process.device)
    if run.work.process.tensor > 1:
        return norms.clip(run.parameters, limit, copies=run.sharded.copies)
    norm: Tensor = torch.nn.utils.clip_grad_norm_(run.parameters, limit, foreach=True)
    return full_state.whole(norm).reshape(1)


def _shared(run: Run, step: Step, loss: Tensor, norm: Tensor) -> list[float]:
    """Sums over all processes of loss, tokens, slots, FLOPs and wishes; the norm stands fifth.

    One exchange and one wait for the device in a step.
    """
    process = run.work.process
    own = [m.batch for m in step.micro_batches if m.weight and process.counts]
    counts = [
        sum(b.tokens for b in own),
        sum(b.ids.numel() for b in own),
        sum(run.arithmetic.of(b) for b in own),
    ]
    parts = [*counts, *durable.told(run), *run.callbacks.wishes(run)]
    more = torch.tensor(parts, dtype=torch.float64)
    # A product, so that what is not a number is heard of whoever has it.
    sums = process.sum(torch.cat([loss * float(process.counts), more.to(process.device)]))
    counted, told = 1 + len(counts), 1 + len(counts) + durable.SLOTS
    durable.heard(run, sums[counted:told].tolist())
    values: list[float] = torch.cat([sums[:counted], norm.double(), sums[told:]]).tolist()
    return values


def _update(run: Run) -> None:
    if not run.skipped:
        run.scaler.step(run.optimizer)  # type: ignore[arg-type]  # as above
    run.scaler.update()
    run.optimizer.zero_grad()


def _scaled(run: Run) -> bool:
    return bool(run.scaler.is_enabled())


def _result(run: Run, callbacks: standard.Standard) -> TrainingResult:
    test = run.work.examples.test
    return TrainingResult(
        step=run.step,
        total_steps=run.total_steps,
        stopped_early=run.ending,
        loss=run.loss,
        metrics=dict(run.metrics),
        best_metrics=dict(callbacks.best.metrics),
        best_step=callbacks.best.step,
        test_metrics=run.evaluator.metrics(test) if test is not None else {},
        tokens=run.counters.tokens,
        samples=run.counters.samples,
        seconds=run.counters.seconds,
        spent=run.counters.spent(),
        precision=run.precision.name,
        micro_batch=run.feed.micro_batch,
        strategy=run.sharded.strategy,
        weights=full_state.gather_weights(run.sharded.module, run.work.process),
    )
