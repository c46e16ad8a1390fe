"""Says how far the training is: some times a second, and after every evaluation."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from graft_api.progress import ProgressReport
from graft_worker.distributed import limits
from graft_worker.train import utilization

if TYPE_CHECKING:
    from graft_worker.train.run import Run

PAUSE = 0.25  # seconds between two reports
WINDOW = 32  # marks that rates are taken over, so about eight seconds


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where the run was at a moment; `seconds` counts time in steps, not in evaluations."""

    step: int
    tokens: int
    samples: int
    flops: float
    seconds: float


class Reporting:
    """Gives a ProgressReport to the surroundings, in the first process of every worker.

    Stands last among the callbacks.
    """

    name = "reporting"

    def __init__(self) -> None:
        self._due = -math.inf
        self._marks: deque[_Mark] = deque(maxlen=WINDOW)

    def after_step(self, run: Run) -> None:
        """Reports unless the last report is too fresh."""
        if not _speaks(run):
            return
        if not self._marks:
            self._marks.append(_mark(run))  # the first step warms up: rates begin after it
        now = run.work.surroundings.clock()
        if now >= self._due or run.finished():
            self._due = now + PAUSE
            self._marks.append(_mark(run))
            self._report(run)

    def after_evaluation(self, run: Run, metrics: Mapping[str, float]) -> None:
        """Reports the new metrics at once."""
        del metrics  # those that can be reported are the run's
        if _speaks(run):
            self._report(run)

    def at_end(self, run: Run) -> None:
        """Reports the metrics of the weights that were chosen."""
        if _speaks(run):
            self._report(run)

    def _report(self, run: Run) -> None:
        begin = self._marks[0] if self._marks else _mark(run)
        run.work.surroundings.report(report(run, since=begin))


def report(run: Run, *, since: _Mark) -> ProgressReport:
    """The run as a report, with rates since a mark."""
    surroundings, counters, now = run.work.surroundings, run.counters, _mark(run)
    seconds = now.seconds - since.seconds
    saved = run.durable
    return ProgressReport(
        job_uid=surroundings.job_uid,
        attempt=surroundings.attempt,
        state="Training",
        step=run.step,
        total_steps=run.total_steps,
        epoch=run.epoch,
        world_size=run.work.process.world,
        loss=run.loss if run.loss is not None and math.isfinite(run.loss) else None,
        learning_rate=run.learning_rate,
        tokens=counters.tokens,
        samples=counters.samples,
        tokens_per_second=_rate(now.tokens - since.tokens, seconds),
        samples_per_second=_rate(now.samples - since.samples, seconds),
        fill=counters.tokens / counters.slots if counters.slots else 0.0,
        remaining_seconds=_remaining(run, now.step - since.step, seconds),
        metrics=dict(run.metrics),
        checkpoint_step=saved.step if saved else None,
        checkpoint_time=saved.time if saved else None,
        checkpoint_uri=surroundings.checkpoints.address(saved) if saved else None,
        checkpoint_bytes=saved.bytes if saved else None,
        checkpoint_seconds=saved.seconds if saved else None,
        nonfinite=counters.nonfinite,
        **_spent(run),
        restarts=surroundings.restarts,
        **_of_process(run, _rate(now.flops - since.flops, seconds)),
        time=_told(surroundings.now()),
    )


def last_report(run: Run) -> ProgressReport:
    """What a run that stops on request reports last: above all which checkpoint stands."""
    return replace(report(run, since=_mark(run)), state="Stopped")


def _speaks(run: Run) -> bool:
    return run.work.process.local_rank == 0


def _mark(run: Run) -> _Mark:
    counters = run.counters
    return _Mark(run.step, counters.tokens, counters.samples, counters.flops, counters.seconds)


def _rate(amount: float, seconds: float) -> float:
    return amount / seconds if seconds > 0 else 0.0


def _remaining(run: Run, steps: int, seconds: float) -> float | None:
    if run.finished():
        return 0.0
    return (run.total_steps - run.step) * seconds / steps if steps else None


def _spent(run: Run) -> dict[str, Any]:
    return {f"{part}_seconds": seconds for part, seconds in run.counters.spent().items()}


def _of_process(run: Run, flops_per_second: float) -> dict[str, Any]:
    process, timing = run.work.process, run.timing
    return {
        "rank": process.rank,
        "mfu": utilization.share(run, flops_per_second),
        "step_histogram": timing.histogram,
        "step_seconds": timing.total,
        "data_wait_seconds": timing.waited,
        "memory_peak_bytes": limits.peak_bytes(process.device),
        "began": _told(run.began) if run.began is not None else "",
    }


def _told(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
