"""What a start cost: the start itself, the steps that are done again, and the time in between."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graft_api.progress import ProgressReport
    from graft_worker.train.run import Run


def of_start(run: Run) -> float:
    """Seconds that the counters of a run about to begin do not know yet; an exchange.

    Rank 0 knows what was reported last, so that its answer counts for all.
    """
    surroundings = run.work.surroundings
    started = surroundings.started
    start = 0.0 if started is None else surroundings.clock() - started
    last = surroundings.previous
    if run.work.process.leads and last is not None and last.job_uid == surroundings.job_uid:
        start += _redone(run, last) + _dead(run, last, start)
    return run.work.process.broadcast(start)


def _redone(run: Run, last: ProgressReport) -> float:
    """Time whose steps are gone with the process that did them."""
    steps = last.productive_seconds - run.counters.seconds
    starts = last.lost_seconds - run.counters.lost
    return max(0.0, steps) + max(0.0, starts)


def _dead(run: Run, last: ProgressReport, start: float) -> float:
    """Time without any process. A later attempt may have been wanted later: that is no loss."""
    surroundings = run.work.surroundings
    if last.attempt != surroundings.attempt or not last.time:
        return 0.0
    died = datetime.fromisoformat(last.time).timestamp()
    return max(0.0, surroundings.now() - start - died)
