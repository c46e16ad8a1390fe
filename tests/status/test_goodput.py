"""Where the time of a job went: the parts add up to it, over attempts, pauses and restarts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graft_api.localconditions import timestamp
from graft_api.progress import ProgressReport
from graft_operator.metrics import REGISTRY
from graft_operator.observed import Observed
from graft_operator.shell import counting
from graft_operator.status.goodput import Moments, Told, counted, parts
from tests.builders import (
    START,
    after,
    at,
    batch,
    gang,
    look,
    pod,
    prepared,
    report,
    running,
    said,
    store,
    subject,
)


def trained(at_second: float, **seconds: float) -> ProgressReport:
    """What a worker says then, of a process whose first step began `since` seconds before."""
    began = at(at_second - seconds.pop("since", 0)).isoformat()
    return report(10, time=at(at_second).isoformat(), began=began, **seconds)


class Story:
    """A job whose status is the only memory between two looks."""

    def __init__(self) -> None:
        self.status: dict[str, Any] = {}

    def look(
        self,
        second: float,
        phase: str,
        said: ProgressReport | None = None,
        last: dict[str, float] | None = None,
        *,
        lost: float | None = None,
    ) -> dict[str, int]:
        progressing = {
            "type": "Progressing",
            "status": str(phase == "Running" and said is not None),
        }
        new = {"phase": phase, "conditions": [progressing]}
        if self.status.get("firstStepTime") or said is not None:
            new["firstStepTime"] = "known"
        lost_at = None if lost is None else at(lost)
        moments = Moments(created=START, now=at(second), lost=lost_at)
        new["goodput"] = counted(self.status, new, Told.of(said, last or {}), moments)
        self.status = new
        return {part: seconds for part, seconds in parts(new["goodput"]).items() if seconds}


def test_a_job_without_faults_is_productive_but_for_its_start_and_its_end() -> None:
    job = Story()
    job.look(2, "Queued")
    job.look(12, "Preparing")
    job.look(30, "Starting")
    # Seen at 45; the worker says at 44 that it has been in steps for 4 seconds.
    job.look(45, "Running", trained(44, productive_seconds=4, since=4, starting_seconds=6))
    assert job.look(130, "Complete", None, {"productive": 82.0, "evaluating": 3.0}) == {
        "queued": 12,
        "preparing": 18,
        "starting": 10,
        "productive": 82,
        "evaluating": 3,
        "other": 5,
    }
    assert job.status["goodput"]["percentage"] == 63


def test_a_fault_costs_what_is_done_again_and_the_way_to_the_next_step() -> None:
    job = Story()
    job.look(0, "Starting")
    job.look(10, "Running", trained(10, productive_seconds=5, since=5))
    job.look(100, "Running", trained(100, productive_seconds=95, since=95))
    job.look(105, "Restarting", lost=102)
    job.look(110, "Pending")  # no node has room for its pods
    job.look(140, "Starting")
    again = trained(160, productive_seconds=70, lost_seconds=30, since=5)
    assert job.look(161, "Running", again) == {
        "starting": 5,
        "productive": 70,
        "lost": 30,
        "restarting": 8 + 15,
        "queued": 30,
        "other": 2,
    }


def test_a_gang_that_forms_anew_by_itself_counts_once_and_over_all_attempts() -> None:
    job = Story()
    job.look(0, "Starting")
    job.look(10, "Running", trained(10, since=10))
    job.look(50, "Running", trained(50, productive_seconds=40, restarting_seconds=8))
    assert job.look(55, "Running", trained(55, restarting_seconds=8))["restarting"] == 8
    job.look(60, "Restarting", lost=60)
    job.look(80, "Running", trained(80, restarting_seconds=8, since=0))
    told = job.look(99, "Running", trained(99, restarting_seconds=11, since=19))
    assert told["restarting"] == 8 + 20 + 3
    assert job.status["goodput"]["reformingSeconds"] == 11


def test_a_pause_is_no_loss() -> None:
    job = Story()
    job.look(0, "Running", trained(0))
    job.look(30, "Suspended")
    job.look(630, "Starting")
    assert job.look(640, "Failed") == {"suspended": 600, "restarting": 10, "other": 30}


def test_the_parts_add_up_to_the_whole_time_at_every_turn() -> None:
    job = Story()
    turns = ("Queued", "Preparing", "Starting", "Running", "Restarting", "Pending", "Suspended")
    for number, phase in enumerate((*turns, "Starting", "Running", "Failed"), start=1):
        # The process that goes on keeps two of the four seconds of the one before.
        kept = {"productive_seconds": number, "since": 4 if number == 4 else number - 2}
        told = trained(number * 7, **kept) if phase == "Running" else None
        assert sum(job.look(number * 7, phase, told).values()) == number * 7


def test_a_look_at_what_is_known_changes_nothing_however_late() -> None:
    job = Story()
    job.look(0, "Starting")
    seen = trained(20, productive_seconds=9, restarting_seconds=4, since=9)
    job.look(21, "Running", seen)
    before = job.status["goodput"]
    job.look(500, "Running", seen)
    assert job.status["goodput"] == before


def test_a_training_shorter_than_the_pause_between_two_looks_is_told_by_its_last_words() -> None:
    job = Story()
    job.look(1, "Preparing")
    job.look(10, "Starting")
    assert job.look(20, "Complete", None, {"productive": 4.0, "starting": 3.0}) == {
        "queued": 1,
        "preparing": 9,
        "starting": 6,
        "productive": 4,
    }


def test_a_job_of_an_older_operator_gets_the_rest_as_other() -> None:
    job = Story()
    job.status = {"phase": "Running", "goodput": {"productiveSeconds": 50, "lostSeconds": 5}}
    assert job.look(100, "Running", trained(100, productive_seconds=60, lost_seconds=5)) == {
        "productive": 60,
        "lost": 5,
        "other": 35,
    }


def test_the_reconcile_counts_from_the_moment_a_pod_died() -> None:
    job = prepared(subject(), phase="Starting")
    alone = {"active": 1, "ready": 1}
    trains = Observed(jobs=(batch(**alone),), pods=(running(0),), report=trained(10, since=3))
    job = after(job, look(job, trains, now=at(11)))
    dead = pod(0, phase="Failed", exit_code=137, ended=at(31))
    broken = Observed(jobs=(batch(failed=1, failure="BackoffLimitExceeded"),), pods=(dead,))
    job = after(job, look(job, broken, now=at(40)))
    assert job.status["phase"] == "Restarting"
    assert job.status["goodput"]["countedTime"] == timestamp(at(31))
    again = trained(70, since=4)
    second = batch(attempt=2, **alone)
    new = replace(running(0), attempt=2)
    seen = Observed(jobs=(second,), pods=(new,), report=replace(again, attempt=2))
    job = after(job, look(job, seen, now=at(71)))
    assert job.status["goodput"]["restartingSeconds"] == 66 - 31


def test_a_pod_that_was_lost_long_before_the_gang_is_not_when_the_gang_was_lost() -> None:
    elastic = subject(workers=gang(1, 2, desired=2))
    job = prepared(elastic, phase="Starting")
    facts = {"parallelism": 2, "active": 1, "ready": 1}
    evicted = {"phase": "Failed", "exit_code": 137, "disruption": "EvictionByEvictionAPI"}
    left = pod(1, **evicted, ended=at(5))
    for step, second in ((10, 11), (90, 100)):
        told = replace(trained(second - 1, since=second - 5), step=step)
        seen = Observed(jobs=(batch(**facts),), pods=(running(0), left, store()), report=told)
        job = after(job, look(job, seen, now=at(second)))
    broken = batch(failed=2, failure="BackoffLimitExceeded", parallelism=2)
    dead = pod(0, **evicted, ended=at(130))
    job = after(job, look(job, Observed(jobs=(broken,), pods=(dead, left, store())), now=at(140)))
    assert (job.status["phase"], job.status["attempt"]) == ("Restarting", 2)
    assert job.status["goodput"]["countedTime"] == timestamp(at(100))


def test_the_time_of_a_job_is_counted_by_part_when_it_ends() -> None:
    def value(part: str) -> float:
        labels = {"kind": "TransferJob", "part": part}
        return REGISTRY.get_sample_value("graft_job_time_seconds_total", labels) or 0.0

    job = prepared(subject(), phase="Starting")
    words = said(
        state="Complete",
        artefact_uri="/store/artefacts/sha256-1",
        total_steps=100,
        step=100,
        seconds={"productive": 20.0, "lost": 2.0},
    )
    done = pod(0, phase="Succeeded", exit_code=0, words=words)
    before = value("productive"), value("lost")
    ended = look(job, Observed(jobs=(batch(complete=True),), pods=(done,)), now=at(60))
    assert ended.status is not None
    assert ended.status["goodput"]["percentage"] == pytest.approx(33)
    counting.count(job, ended.status)
    assert (value("productive"), value("lost")) == (before[0] + 20, before[1] + 2)
