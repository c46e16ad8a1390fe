"""From an applied job to a complete one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

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

DONE = said(
    state="Complete",
    artefact_uri="/graft/store/artefacts/sha256-1",
    artefact_digest="sha256:1",
    step=100,
    total_steps=100,
    metrics={"loss": 0.25, "accuracy": 0.9},
)


def kinds(outcome):
    return [(body["kind"], body["metadata"]["name"]) for body in outcome.create]


def test_a_new_job_gets_its_policy_and_its_prepare_job():
    outcome = look(subject(), Observed(store_known=True))
    assert kinds(outcome) == [("NetworkPolicy", "reviews"), ("Job", "reviews-p1")]
    assert outcome.status["phase"] == "Preparing"
    assert [event.reason for event in outcome.events] == ["JobAccepted"]


def test_a_prepare_pod_that_works_in_peace_asks_for_no_write_and_no_look():
    job = after(subject(), look(subject(), Observed(store_known=True)))
    for facts in ({}, {"active": 1}, {"active": 1, "ready": 1}):
        seen = Observed(jobs=(batch("prepare", **facts),), store_known=True)
        outcome = look(job, seen, now=at(5))
        assert (outcome.status, outcome.acts) == (None, False)
    assert outcome.wake == at(5 + 600)


def test_a_status_first_written_after_the_job_was_made_is_the_one_before_it():
    made = Observed(jobs=(batch("prepare"),), store_known=True)
    late, early = look(subject(), made), look(subject(), Observed(store_known=True))
    assert (late.create, late.status, late.events) == ((), early.status, early.events)


def test_a_job_that_waits_among_many_is_looked_at_more_rarely():
    job = after(subject(), look(subject(), Observed(store_known=True)))
    few, many = (
        look(job, Observed(jobs=(batch("prepare", active=1),), pause=pause), now=at(30))
        for pause in (timedelta(), timedelta(seconds=40))
    )
    assert (few.wake, many.wake) == (at(30 + 3), at(30 + 40))


def test_the_prepared_data_starts_one_worker_without_services():
    said_by = pod(role="prepare", phase="Succeeded", words=said(state="Complete", model_digest="d"))
    job = after(subject(), look(subject(), Observed(store_known=True)))
    seen = Observed(jobs=(batch("prepare", complete=True),), pods=(said_by,), store_known=True)
    outcome = look(job, seen, now=at(5))
    assert kinds(outcome) == [("NetworkPolicy", "reviews"), ("Job", "reviews-t1")]
    assert outcome.status["model"] == {"digest": "d"}
    assert condition(outcome, "Prepared")[:2] == ("True", "Validated")


def test_a_gang_gets_services_and_a_rendezvous_store_before_its_job():
    job = prepared(subject(workers=gang(2)))
    outcome = look(job, Observed(jobs=(batch("prepare", complete=True),), store_known=True))
    assert kinds(outcome) == [
        ("NetworkPolicy", "reviews"),
        ("Service", "reviews"),
        ("Service", "reviews-r1"),
        ("Pod", "reviews-r1"),
        ("Job", "reviews-t1"),
    ]


def test_progress_of_a_worker_reaches_the_status():
    seen = Observed(
        jobs=(batch(ready=1, active=1),), pods=(running(),), report=report(40, loss=0.5)
    )
    outcome = look(prepared(subject()), seen, now=at(60))
    assert outcome.status["progress"]["progressPercentage"] == 40
    assert outcome.status["metrics"] == [{"name": "loss", "value": "0.5"}]
    assert outcome.status["firstStepTime"] == "2026-01-01T12:01:00Z"
    assert condition(outcome, "Progressing") == ("True", "StepAdvancing", "step 40 of 100")
    assert outcome.status["phase"] == "Running"


def test_a_job_is_complete_only_with_its_marker():
    done = pod(phase="Succeeded", exit_code=0, words=DONE)
    job = prepared(subject())
    outcome = look(job, Observed(jobs=(batch(complete=True),), pods=(done,)), now=at(90))
    assert outcome.status["phase"] == "Complete"
    assert outcome.status["artefact"]["digest"] == "sha256:1"
    assert outcome.status["display"]["metric"] == "accuracy=0.9"
    assert outcome.status["display"]["step"] == "100/100"
    assert outcome.status["completionTime"] == "2026-01-01T12:01:30Z"


def test_a_program_that_ends_well_without_a_model_has_failed():
    done = pod(phase="Succeeded", exit_code=0, words="")
    job = prepared(subject())
    outcome = look(job, Observed(jobs=(batch(complete=True),), pods=(done,)))
    assert condition(outcome, "Failed")[:2] == ("True", "ExitedWithoutCompletion")


def test_a_finished_job_frees_what_is_left_and_goes_when_its_time_is_over():
    done = pod(phase="Succeeded", exit_code=0, words=DONE)
    job = prepared(subject(run={"ttlAfterFinished": "1h"}, workers=gang(2)))
    first = look(job, Observed(jobs=(batch(complete=True),), pods=(done, store())))
    over = after(job, first)
    freed = look(over, Observed(jobs=(batch(complete=True),), pods=(done, store())), now=at(10))
    assert [delete.name for delete in freed.delete] == ["reviews-rendezvous1-0"]
    assert freed.status is None
    assert freed.wake == at(3600)
    gone = look(over, Observed(jobs=(batch(complete=True),), pods=(done,)), now=at(3600))
    assert [(d.kind, d.name) for d in gone.delete] == [("TransferJob", "reviews")]


@pytest.mark.parametrize(
    ("job", "seen"),
    [
        pytest.param(subject(), Observed(jobs=(batch("prepare", active=1),)), id="preparing"),
        pytest.param(
            prepared(subject(workers=gang(2))),
            Observed(
                jobs=(batch(active=2, ready=2, parallelism=2),),
                pods=(running(0), running(1), store()),
                report=report(3, world_size=2),
            ),
            id="a gang that trains",
        ),
        pytest.param(
            prepared(subject(run={"suspend": True})), Observed(), id="paused before it began"
        ),
        pytest.param(subject(app={"name": "chat"}), Observed(), id="refused"),
    ],
)
def test_a_second_look_at_the_same_state_asks_for_nothing(job, seen):
    first = look(job, seen, now=at(2))
    second = look(after(job, first), seen, now=at(2))
    assert not second.acts
    assert second.status is None
    assert second.events == ()


def test_a_field_that_is_not_available_fails_the_job_and_names_it():
    outcome = look(subject(app={"name": "chat"}), Observed())
    assert outcome.create == ()
    assert condition(outcome, "Failed")[1] == "ConfigError"
    assert "spec.app.name" in condition(outcome, "Failed")[2]


def test_a_job_that_another_manages_is_left_alone():
    outcome = look(subject(managedBy="kueue.x-k8s.io/multikueue"), Observed())
    assert outcome == replace(outcome, create=(), status=None, events=())


def test_a_refused_child_becomes_a_condition_in_the_servers_words():
    outcome = look(subject(), Observed(refused="Job reviews-p1: exceeded quota: small"))
    expected = ("False", "ChildCreateFailed", "Job reviews-p1: exceeded quota: small")
    assert condition(outcome, "Ready") == expected
    assert outcome.create == ()
    assert outcome.wake == at(15)
