"""The newest checkpoint on disk: rank 0 writes it, and every process knows of it.

What is told travels with the loss, so that any worker can answer for the whole gang.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from graft_worker.checkpoint import folders
from graft_worker.checkpoint.store import Checkpoint

if TYPE_CHECKING:
    from graft_worker.train.run import Run

SLOTS = 4


def told(run: Run) -> list[float]:
    """What rank 0 says of it, zeros elsewhere and before the first: the sum is what is said."""
    saved = run.work.surroundings.checkpoints.saved if run.work.process.leads else None
    if saved is None:
        return [0.0] * SLOTS
    moment = datetime.fromisoformat(saved.time).timestamp()
    return [float(saved.step), float(saved.bytes), saved.seconds, moment]


def heard(run: Run, values: Sequence[float]) -> None:
    """Takes over what was told; what a resumed run began with stays until then."""
    step, size, seconds, moment = values
    if not step:
        return
    root = run.work.surroundings.checkpoints.root
    run.durable = Checkpoint(
        step=int(step),
        path=folders.folder(root, kind="step", step=int(step)).path,
        bytes=int(size),
        time=datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds"),
        seconds=seconds,
    )
