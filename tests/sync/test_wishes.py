"""Pause, resume and another size."""

from __future__ import annotations

from graft_operator.observed import Observed
from tests.builders import (
    after,
    at,
    batch,
    condition,
    gang,
    look,
    prepared,
    report,
    running,
    store,
    subject,
)


def trains(size=1, *, step=20, **facts):
    pods = tuple(running(index) for index in range(size))
    others = (store(),)
    job = batch(active=size, ready=size, parallelism=size)
    return Observed(
        jobs=(job,), pods=(*pods, *others), report=report(step, world_size=size, **facts)
    )


def test_a_pause_saves_first_then_removes_the_pods_then_says_so():
    job = prepared(subject(run={"suspend": True}))
    asked = look(job, trains(), now=at(10))
    assert asked.checkpoint == ("10.0.0.0",)
    assert asked.delete == ()
    job = after(job, asked)
    waits = look(job, trains(), now=at(11))
    assert waits.checkpoint == ()
    assert waits.delete == ()
    saved = trains(step=21, checkpoint_step=21, checkpoint_time="2026-01-01T12:00:12Z")
    stops = look(job, saved, now=at(13))
    gone = {(d.kind, d.name) for d in stops.delete}
    assert gone == {("Job", "reviews-t1"), ("Pod", "reviews-rendezvous1-0")}
    paused = look(after(job, stops), Observed(report=saved.report), now=at(20))
    assert condition(paused, "Suspended")[:2] == ("True", "SuspendedByUser")
    assert "step 21" in condition(paused, "Suspended")[2]
    assert paused.status["phase"] == "Suspended"


def test_a_resumed_job_goes_on_with_the_next_attempt():
    stopped = prepared(subject(run={"suspend": True}))
    stopped = after(stopped, look(stopped, Observed(), now=at(20)))
    wanted = prepared(subject(), **stopped.status)
    first = look(wanted, Observed(), now=at(50))
    assert first.status["attempt"] == 2
    assert first.status["goodput"]["suspendedSeconds"] == 30
    made = look(after(wanted, first), Observed(store_known=True), now=at(50))
    assert made.create[-1]["metadata"]["name"] == "reviews-t2"


def test_an_elastic_gang_changes_its_size_in_place():
    job = prepared(subject(workers=gang(1, 3, desired=3)))
    outcome = look(job, trains(1), now=at(30))
    assert [patch.body["spec"] for patch in outcome.patch] == [{"parallelism": 3, "completions": 3}]
    assert condition(outcome, "Running")[:2] == ("True", "Resizing")
    assert outcome.status["attempt"] == 1


def test_a_fixed_gang_changes_its_size_by_a_new_attempt_from_a_checkpoint():
    job = prepared(subject(workers=gang(3)))
    asked = look(job, trains(2), now=at(30))
    assert asked.checkpoint == ("10.0.0.0", "10.0.0.1")
    assert asked.status["attempt"] == 1
    saved = trains(2, checkpoint_step=20, checkpoint_time="2026-01-01T12:00:31Z")
    done = look(after(job, asked), saved, now=at(32))
    assert done.status["attempt"] == 2
    assert "restarts" not in done.status


def test_a_queued_job_waits_for_its_queue():
    job = prepared(subject(run={"queue": "team-a"}))
    outcome = look(job, Observed(jobs=(batch(suspended=True),)), now=at(5))
    assert condition(outcome, "Queued")[:2] == ("True", "QuotaPending")
    assert outcome.status["phase"] == "Queued"


def test_the_job_of_a_queue_is_made_suspended_and_labelled():
    job = prepared(subject(run={"queue": "team-a"}))
    made = look(job, Observed(store_known=True)).create[-1]
    assert made["spec"]["suspend"] is True
    assert made["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "team-a"
