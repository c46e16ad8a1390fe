"""Everything that an exact resume needs, as whole tensors and plain JSON values.

No generator state is among it: every draw of the training is seeded by (seed, step, micro-batch),
so the step alone tells what would come next.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from graft_api.errors import StoreError
from graft_worker.distributed import full_state
from graft_worker.distributed.together import together
from graft_worker.train.run import Counters

if TYPE_CHECKING:
    from torch import Tensor

    from graft_worker.checkpoint.mirrored import MirroredCheckpoints
    from graft_worker.checkpoint.store import Checkpoint, Checkpoints
    from graft_worker.train.run import Run
    from graft_worker.train.settings import Work

Tensors = dict[str, "Tensor"]
Gathered = Iterator[tuple[str, "Tensor"]]
Values = dict[str, Any]

T = TypeVar("T")

FORMAT = 1
WEIGHTS, MOMENTS = "module.", "optimizer."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A checkpoint and the state in it."""

    checkpoint: Checkpoint
    tensors: Tensors
    values: Values


def restore(run: Run, saved: Saved) -> None:
    """Puts a captured state back, for any number of processes; each gives the whole state."""
    module, tensors, values = run.sharded.module, saved.tensors, saved.values
    full_state.load_weights(module, _under(WEIGHTS, tensors))
    full_state.load_moments(run.optimizer.state, module, _under(MOMENTS, tensors))
    run.scaler.load_state_dict(values["scaler"])
    run.step, run.ending = values["step"], values["ending"]
    run.saved_step, run.durable = run.step, saved.checkpoint
    run.metrics = values["metrics"]
    run.counters = Counters(**values["counters"])
    run.callbacks.load(values["callbacks"])


def newest(work: Work) -> Saved | None:
    """The newest whole checkpoint, the same one in every process; None where there is none.

    Raises:
        StoreError: it was made with another seed, batch size or split.
    """
    found = read(work, lambda checkpoints: checkpoints.newest())
    if found is None:
        return None
    values = found.values
    if values.get("identity") != identity(work):
        raise StoreError(
            f"the checkpoint was made by another job: {values.get('identity')} instead of"
            f" {identity(work)}",
            hint="choose another store folder, or remove this job's folder in it",
        )
    log.info("goes on from the checkpoint of step %d", values["step"])
    return found


def read(
    work: Work, find: Callable[[Checkpoints | MirroredCheckpoints], Checkpoint | None]
) -> Saved | None:
    """The checkpoint that rank 0 finds, read by every process; None where it finds none.

    Raises:
        StoreError: it cannot be read.
    """
    checkpoints, process = work.surroundings.checkpoints, work.process
    own = _together(work, lambda: find(checkpoints) if process.leads else None)
    found = process.broadcast(own)
    if found is None:
        return None
    tensors, values = _together(work, lambda: checkpoints.load(found))
    return Saved(checkpoint=found, tensors=tensors, values=values)


def save(run: Run) -> None:
    """Hands the state to the checkpoints, which write it in the background; an exchange."""
    if run.work.process.leads:
        run.work.surroundings.checkpoints.save(_tensors(run), _values(run), step=run.step)
    else:
        _take_part(_tensors(run))
    run.saved_step = run.step


def save_best(run: Run) -> None:
    """As `save`, the weights and the metrics alone: they are the best so far."""
    weights = full_state.weights(run.sharded.module, run.work.process)
    values = {"step": run.step, "metrics": run.metrics}
    if run.work.process.leads:
        run.work.surroundings.checkpoints.save_best(weights, values, step=run.step)
    else:
        _take_part(weights)


@contextmanager
def counted(run: Run) -> Iterator[None]:
    """Counts the time of what is done within as that of saving."""
    clock = run.work.surroundings.clock
    began = clock()
    yield
    run.counters = run.counters.plus(saving=clock() - began)


def await_saved(run: Run) -> None:
    """Returns in every process when what was handed to the checkpoints is on disk.

    A process that left before would be taken for a failure, and the writer be stopped with it.

    Raises:
        StoreError: on rank 0, when it could not be written.
    """
    process, checkpoints = run.work.process, run.work.surroundings.checkpoints
    _together(run.work, lambda: checkpoints.wait() if process.leads else None)
    run.durable = process.broadcast(checkpoints.saved) or run.durable


def identity(work: Work) -> Values:
    """What decides the order of the samples; a state of another order cannot be gone on from."""
    return {
        "format": FORMAT,
        "seed": work.recipe.training.seed,
        "globalBatch": work.recipe.training.global_batch,
        "rows": work.examples.train.rows,
    }


def _together(work: Work, do: Callable[[], T]) -> T:
    return together(work.process, do, alive=work.surroundings.heart.again)


def _tensors(run: Run) -> Gathered:
    """The state after the newest step, put together tensor by tensor; none but on rank 0."""
    module, process = run.sharded.module, run.work.process
    for name, tensor in full_state.weights(module, process):
        yield WEIGHTS + name, tensor
    for name, tensor in full_state.moments(run.optimizer.state, module, process):
        yield MOMENTS + name, tensor


def _take_part(tensors: Gathered) -> None:
    deque(tensors, maxlen=0)


def _values(run: Run) -> Values:
    return {
        "identity": identity(run.work),
        "step": run.step,
        "ending": run.ending,
        "precision": run.precision.name,
        "microBatch": run.feed.micro_batch,
        "scaler": run.scaler.state_dict(),
        "metrics": run.metrics,
        "counters": run.counters.values(),
        "callbacks": run.callbacks.state(),
    }


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
