"""A gang loses a part of itself and ends with the loss of one that nobody disturbed."""

from __future__ import annotations

from datetime import datetime

import pytest

from graft_operator.status.goodput import parts
from tests.gangs.arena import Arena, disturb, remove, signal_worker
from tests.gangs.jobs import Object

SEEN_LATE = 6  # seconds: a turn may be seen one look later, and parts are whole seconds


def test_a_gang_survives_kill_9_of_a_process(arena: Arena):
    applied = arena.pair("killed")
    kill = lambda: signal_worker(arena.space, applied.pod(1), "KILL")  # noqa: E731
    disturb(applied, arena.store, "kill -9 of a process", kill)
    status = arena.ends_as_in_peace(applied)
    assert status["attempt"] == 1
    assert not status.get("restarts")


def test_a_fixed_gang_survives_the_deletion_of_rank_0s_pod(arena: Arena):
    applied = arena.pair("deleted")
    disturb(
        applied,
        arena.store,
        "the deletion of rank 0's pod, fixed size,",
        lambda: remove(arena.space, applied.pod(0)),
    )
    status = arena.ends_as_in_peace(applied)
    restarts = status["restarts"]
    assert (restarts["disruption"], restarts.get("user")) == (1, None)
    check_accounted(applied.object)


def check_accounted(job: Object) -> None:
    """Every second from creation to the end is in one part, and the restart in its own."""
    spent = parts(job["status"]["goodput"])
    began, ended = (
        datetime.fromisoformat(moment)
        for moment in (job["metadata"]["creationTimestamp"], job["status"]["completionTime"])
    )
    assert sum(spent.values()) == pytest.approx((ended - began).total_seconds(), abs=SEEN_LATE)
    assert spent["productive"] > 0
    assert spent["restarting"] > 0


def test_a_gang_survives_the_loss_of_its_store(arena: Arena):
    applied = arena.pair("stray")
    disturb(applied, arena.store, "the loss of the store", lambda: remove(arena.space, "stray-r1"))
    (loss,) = arena.ends_as_in_peace(applied)["restarts"]["history"]
    assert (loss["class"], loss["reason"]) == ("Disruption", "StoreLost")


def test_an_elastic_gang_goes_on_without_a_lost_member(arena: Arena):
    workers = {"min": 1, "max": 3}
    applied = arena.pair("elastic", workers=workers)
    by_force = ("--grace-period=0", "--force")
    disturb(
        applied,
        arena.store,
        "the loss of a member, elastic,",
        lambda: remove(arena.space, applied.pod(1), *by_force),
    )
    status = applied.phase("Complete")
    assert status["attempt"] == 1
    assert status["progress"]["step"] == status["progress"]["totalSteps"]
    assert status["restarts"]["disruption"] == 1
