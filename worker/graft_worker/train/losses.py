"""What a start cost: the start itself, the steps that are done again, and the time in between."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graft_api.progress import ProgressReport
    from graft_worker.train.run import Run


def of_start(run: Run) -> dict[str, float]:
    """Seconds by counter that a run about to begin does not know yet; an exchange.

    Rank 0 knows what was reported last, so that its answer counts for all.
    """
    surroundings = run.work.surroundings
    started = surroundings.started
    start = 0.0 if started is None else surroundings.clock() - started
    last = surroundings.previous
    if not run.work.process.leads or last is None or last.job_uid != surroundings.job_uid:
        found = {"starting": start}
    else:
        found = _after(run, last, start)
    return run.work.process.broadcast(found)


def _after(run: Run, last: ProgressReport, start: float) -> dict[str, float]:
    """The first start of an attempt is one; those after it are the price of a failure."""
    known = run.counters
    found = {
        "lost": _redone(run, last) + max(0.0, last.lost_seconds - known.lost),
        "starting": max(0.0, last.starting_seconds - known.starting),
        "restarting": max(0.0, last.restarting_seconds - known.restarting),
    }
    if last.attempt != run.work.surroundings.attempt:
        found["starting"] += start
    else:
        found["restarting"] += start + _dead(run, last, start)
    return found


def _redone(run: Run, last: ProgressReport) -> float:
    """Time whose steps are gone with the process that did them."""
    known = run.counters
    gone = (
        last.productive_seconds - known.seconds,
        last.evaluating_seconds - known.evaluating,
        last.saving_seconds - known.saving,
    )
    return sum(max(0.0, seconds) for seconds in gone)


def _dead(run: Run, last: ProgressReport, start: float) -> float:
    """Time without any process. A later attempt may have been wanted later: that is no loss."""
    if not last.time:
        return 0.0
    died = datetime.fromisoformat(last.time).timestamp()
    return max(0.0, run.work.surroundings.now() - start - died)
