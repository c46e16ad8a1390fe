"""What ends an attempt, what it costs, and what follows."""

from __future__ import annotations

import pytest

from graft_operator.observed import Observed
from tests.builders import (
    after,
    at,
    batch,
    condition,
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

RAISED = said(
    state="Failed", failure_class="UserError", exit_code=1, step=12, message="ValueError: no"
)


def failed(index=0, **facts):
    return pod(index, **({"phase": "Failed", "started": True, "ended": at(50)} | facts))


def ended(*pods, size=1, reason="BackoffLimitExceeded"):
    job = batch(failure=reason, failed=1, parallelism=size)
    others = (store(),) if size > 1 else ()
    return Observed(jobs=(job,), pods=(*pods, *others), report=report(12))


CASES = [
    pytest.param(
        ended(failed(exit_code=1, words=RAISED)), "user", "WorkerFailed", id="an exception"
    ),
    pytest.param(
        ended(failed(exit_code=137)), "infrastructure", "WorkerFailed", id="kill -9 of the process"
    ),
    pytest.param(
        ended(failed(exit_code=137, reason="OOMKilled")),
        "infrastructure",
        "WorkerFailed",
        id="out of memory for the first time",
    ),
    pytest.param(
        ended(failed(exit_code=75, disruption="EvictionByEvictionAPI")),
        "disruption",
        "Disrupted",
        id="a drained node",
    ),
    pytest.param(ended(failed(exit_code=75)), "disruption", "Disrupted", id="a deleted pod"),
    pytest.param(ended(), "disruption", "Disrupted", id="a pod removed by force leaves no trace"),
]


@pytest.mark.parametrize(("seen", "charged", "reason"), CASES)
def test_each_cause_is_charged_to_its_class_and_a_new_attempt_begins(seen, charged, reason):
    outcome = look(prepared(subject()), seen, now=at(60))
    assert outcome.status["attempt"] == 2
    assert outcome.status["restarts"][charged] == 1
    assert condition(outcome, "Running")[:2] == ("False", reason)
    assert outcome.status["phase"] == "Restarting"


def test_the_loss_of_a_member_is_the_cause_not_the_echo_in_the_others():
    echo = failed(1, exit_code=1, words=RAISED, ended=at(40))
    lost = running(0, deleting=at(45))
    seen = Observed(jobs=(batch(active=1, parallelism=2),), pods=(lost, echo, store()))
    outcome = look(prepared(subject(workers=gang(2))), seen, now=at(60))
    assert outcome.status["restarts"]["history"][0]["reason"] == "PodDeleted"


def test_the_loss_of_the_store_is_a_disruption():
    pods = (failed(0, exit_code=1), failed(1, exit_code=1))
    seen = Observed(jobs=(batch(failure="BackoffLimitExceeded", parallelism=2),), pods=pods)
    outcome = look(prepared(subject(workers=gang(2))), seen, now=at(60))
    assert outcome.status["restarts"]["disruption"] == 1
    assert condition(outcome, "Running")[1] == "RendezvousLost"


def test_what_is_left_goes_before_the_next_attempt_is_made():
    job = prepared(subject(workers=gang(2)))
    seen = Observed(
        jobs=(batch(active=1, parallelism=2),),
        pods=(running(0), running(1, deleting=at(45)), store()),
    )
    job = after(job, look(job, seen, now=at(50)))
    cleared = look(job, seen, now=at(51))
    assert cleared.create == ()
    removed = {(delete.kind, delete.name) for delete in cleared.delete}
    assert removed == {
        ("Pod", "reviews-worker1-0"),
        ("Pod", "reviews-rendezvous1-0"),
        ("Job", "reviews-t1"),
    }
    made = look(job, Observed(store_known=True), now=at(52))
    assert made.create[-1]["metadata"]["name"] == "reviews-t2"


def test_the_same_error_at_the_same_step_fails_at_once():
    job = prepared(subject())
    first = after(job, look(job, ended(failed(exit_code=1, words=RAISED)), now=at(60)))
    again = Observed(
        jobs=(batch(attempt=2, failure="BackoffLimitExceeded"),),
        pods=(failed(exit_code=1, words=RAISED, attempt=2),),
    )
    outcome = look(first, again, now=at(120))
    assert outcome.status["phase"] == "Failed"
    assert "the same error twice at step 12: ValueError: no" in condition(outcome, "Failed")[2]
    assert outcome.status["failure"] == {
        "class": "UserError",
        "worker": 0,
        "exitCode": 1,
        "step": 12,
        "message": "ValueError: no",
    }


def test_bad_data_is_not_tried_again():
    words = said(state="Failed", failure_class="DataError", exit_code=65, message="train.tsv: 3: x")
    broken = pod(role="prepare", phase="Failed", exit_code=65, words=words)
    seen = Observed(jobs=(batch("prepare", failure="PodFailurePolicy"),), pods=(broken,))
    outcome = look(subject(), seen, now=at(9))
    assert condition(outcome, "Failed") == ("True", "DataError", "train.tsv: 3: x")
    assert condition(outcome, "Prepared")[:2] == ("False", "DataError")


def test_failures_beyond_the_limit_end_the_job_and_progress_gives_the_budget_back():
    job = prepared(subject(run={"restarts": {"max": 1, "window": "1h"}}))
    first = after(job, look(job, ended(failed(exit_code=137)), now=at(60)))
    second = Observed(
        jobs=(batch(attempt=2, failure="BackoffLimitExceeded"),),
        pods=(failed(exit_code=137, attempt=2),),
    )
    assert condition(look(first, second, now=at(100)), "Failed")[1] == "RestartLimit"
    later = Observed(
        jobs=(batch(attempt=2, failure="BackoffLimitExceeded"),),
        pods=(
            failed(exit_code=137, attempt=2, words=said(state="Failed", exit_code=137, step=90)),
        ),
    )
    assert look(first, later, now=at(100)).status["attempt"] == 3


def test_a_silent_node_gets_its_time_then_its_pods_go_by_force():
    job = prepared(subject(workers=gang(2), run={"deadlines": {"nodeLost": "30s"}}))
    gone = running(1, node_lost=at(100), node="node2", deleting=at(105))
    seen = Observed(
        jobs=(batch(active=2, ready=1, parallelism=2),), pods=(running(0), gone, store())
    )
    waits = look(job, seen, now=at(110))
    assert waits.status["attempt"] == 1
    assert condition(waits, "Running")[1] == "WorkerLost"
    lost = look(job, seen, now=at(130))
    assert lost.status["attempt"] == 2
    cleared = look(after(job, lost), seen, now=at(131))
    graces = {
        delete.name: delete.grace_seconds for delete in cleared.delete if delete.kind == "Pod"
    }
    assert graces["reviews-worker1-1"] == 0


def test_an_elastic_gang_goes_on_without_a_member_and_notes_the_loss_once():
    job = prepared(subject(workers=gang(1, 3, desired=2)))
    seen = Observed(
        jobs=(batch(active=2, ready=1, parallelism=2),),
        pods=(running(0), running(1, deleting=at(50)), store()),
        report=report(20, world_size=1),
    )
    outcome = look(job, seen, now=at(52))
    assert outcome.status["attempt"] == 1
    assert outcome.status["restarts"]["disruption"] == 1
    assert condition(outcome, "Degraded")[1] == "ReducedWorld"
    again = look(after(job, outcome), seen, now=at(60))
    assert again.status is None or again.status["restarts"]["disruption"] == 1


def test_a_gang_without_a_step_for_too_long_starts_again():
    job = prepared(
        subject(run={"deadlines": {"hang": "60s"}}),
        progress={"step": 12},
        lastStepTime="2026-01-01T12:00:10Z",
        firstStepTime="2026-01-01T12:00:05Z",
    )
    seen = Observed(jobs=(batch(active=1, ready=1),), pods=(running(),), report=report(12))
    # The launcher has a minute to end it by itself: it alone can save the stacks.
    assert look(job, seen, now=at(125)).status["attempt"] == 1
    outcome = look(job, seen, now=at(135))
    assert condition(outcome, "Running")[1] == "HangDetected"
    assert outcome.status["restarts"]["infrastructure"] == 1


def test_a_hang_that_a_launcher_ended_is_the_cause_though_its_peers_are_deleted():
    words = said(state="Failed", failure_class="InfrastructureError", message="no step for 15 s")
    ended = pod(1, phase="Failed", exit_code=70, ended=at(30), words=words, started=True)
    peer = running(0, deleting=at(29))
    job = prepared(subject(workers=gang(2)), progress={"step": 60})
    seen = Observed(
        jobs=(batch(parallelism=2, failure="BackoffLimitExceeded"),), pods=(peer, ended, store())
    )
    outcome = look(job, seen, now=at(31))
    history = outcome.status["restarts"]["history"]
    assert (history[0]["class"], history[0]["reason"]) == ("InfrastructureError", "HangDetected")


def test_an_image_that_cannot_be_pulled_fails_after_five_minutes():
    stuck = pod(waiting="ImagePullBackOff", waiting_message="manifest unknown")
    seen = Observed(jobs=(batch(active=1),), pods=(stuck,))
    assert condition(look(prepared(subject()), seen, now=at(60)), "Running")[1] == "ImagePull"
    late = look(prepared(subject()), seen, now=at(301))
    assert condition(late, "Failed")[1] == "ImagePull"


def test_a_job_that_finds_no_node_says_so_and_fails_at_its_deadline():
    job = prepared(subject(run={"deadlines": {"start": "10m"}}))
    seen = Observed(
        jobs=(batch(active=1),), pods=(pod(unscheduled="0/2 nodes: insufficient nvidia.com/gpu"),)
    )
    waits = look(job, seen, now=at(60))
    assert "insufficient nvidia.com/gpu" in condition(waits, "Running")[2]
    late = look(job, seen, now=at(601))
    assert condition(late, "Failed")[1] == "DeadlineExceeded"
    assert "insufficient nvidia.com/gpu" in condition(late, "Failed")[2]


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        pytest.param(99.9, 100.25, id="they have a second: looked at four times in it"),
        pytest.param(90, 102.5, id="a quarter of the wait so far"),
        pytest.param(0, 105, id="five seconds at most"),
    ],
)
def test_the_next_attempt_waits_for_pods_that_end_and_looks_soon_then_less_often(
    asked: float, again: float
):
    job = prepared(subject(workers=gang(2)), attempt=2)
    left = Observed(pods=(running(1, deleting=at(asked)),))
    outcome = look(job, left, now=at(100))
    assert (outcome.create, outcome.wake) == ((), at(again))
    ended_ = Observed(pods=(failed(1, exit_code=137, deleting=at(asked)),))
    assert look(job, ended_, now=at(100)).create
