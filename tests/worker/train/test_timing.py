from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from graft_api.progress import ProgressReport
from graft_worker.distributed.process import Process
from graft_worker.train.timing import Timing
from tests.worker.train import tiny

ALONE = Process()


def test_steps_are_counted_by_duration_and_by_what_they_waited_for() -> None:
    timing = Timing()
    for seconds in (0.1, 0.2, 0.2, 500.0):
        timing.done(seconds, waited=0.05)
    assert timing.histogram == {"0.1": 1, "0.25": 2, "+Inf": 1}
    assert (timing.total, timing.waited) == (pytest.approx(500.5), pytest.approx(0.2))


def test_a_long_step_is_one_that_few_exceed() -> None:
    timing = Timing()
    assert timing.long == 0.0
    for step in range(256):
        timing.done(100.0 if step % 64 == 0 else 1.0, waited=0.0)
    assert timing.long == 1.0
    for _ in range(64):
        timing.done(3.0, waited=0.0)
    assert timing.long == 3.0


def test_reports_tell_where_the_time_of_this_process_went(tmp_path: Path) -> None:
    last = tiny.train(tmp_path, ALONE, restarts=2).reports[-1]
    assert sum(last.step_histogram.values()) == 12
    assert 0 <= last.data_wait_seconds <= last.step_seconds
    assert last.step_seconds == pytest.approx(last.productive_seconds)
    assert last.saving_seconds > 0
    assert last.memory_peak_bytes > 1 << 20
    assert (last.rank, last.restarts, last.nonfinite, last.mfu) == (0, 2, 0, None)
    assert last.checkpoint_bytes is not None
    assert last.checkpoint_bytes > 3000


def test_a_start_that_follows_a_death_counts_what_is_lost(tmp_path: Path) -> None:
    """The process was started 7 s ago; the one before died 60 s ago, 5 s of steps after a save."""
    died = ProgressReport(
        job_uid="job",
        attempt=2,
        state="Training",
        productive_seconds=5.0,
        evaluating_seconds=0.5,
        lost_seconds=3.0,
        starting_seconds=2.0,
        restarting_seconds=1.0,
        time="1970-01-01T00:00:40.000+00:00",
    )
    start = {"clock": lambda: 107.0, "now": lambda: 100.0, "started": 100.0, "job_uid": "job"}

    def spent(name: str, attempt: int, before: ProgressReport | None) -> tuple[float, ...]:
        changes = start | {"attempt": attempt, "previous": before}
        last = tiny.train(tmp_path / name, ALONE, **changes).reports[-1]
        return last.starting_seconds, last.restarting_seconds, last.lost_seconds

    assert spent("first", 1, None) == (7.0, 0.0, 0.0)
    assert spent("within", 2, died) == (2.0, 1.0 + 7.0 + 53.0, 5.0 + 0.5 + 3.0)
    assert spent("later", 3, died) == (2.0 + 7.0, 1.0, 5.0 + 0.5 + 3.0)
    assert spent("foreign", 2, replace(died, job_uid="another")) == (7.0, 0.0, 0.0)
