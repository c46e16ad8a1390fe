"""Code that fails, memory that does not suffice, processes that stand still."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.namespaces import Namespace
from tests.gangs.arena import Arena, disturb, signal_worker
from tests.gangs.jobs import Object, apply, small


def rehearsing(fault: str) -> Object:
    """Workers that bring about a fault on purpose."""
    enabled = {"name": "GRAFT_FAULTS_ENABLED", "value": "1"}
    return {"env": [enabled, {"name": "GRAFT_FAULT_AT", "value": fault}]}


def test_the_same_error_twice_at_one_step_ends_the_job(space: Namespace, store: Path):
    failed = apply(space, small("raises", workers=rehearsing("0:30:raise"))).failed()
    failure = failed["failure"]
    assert (failure["class"], failure["step"], failure["exitCode"]) == ("UserError", 30, 1)
    assert "a rehearsed failure" in failure["message"]
    (condition,) = (c for c in failed["conditions"] if c["type"] == "Failed")
    assert condition["reason"] == "UserError"
    assert "the same" in condition["message"]


def test_memory_that_never_suffices_ends_the_job_and_says_what_to_do(space: Namespace, store: Path):
    failed = apply(space, small("greedy", workers=rehearsing("0:5:oom:100000"))).failed()
    failure = failed["failure"]
    assert failure["class"] == "UserError"
    assert "1Gi of memory" in failure["message"]
    assert "workers.resources.memory" in failure["hint"]
    assert failed["restarts"]["lastReason"] == "OOMKilled"


def test_a_gang_starts_anew_after_its_memory_did_not_suffice_once(arena: Arena):
    applied = arena.pair("hungry", workers=rehearsing("1:50:oom:100000@1"))
    status = arena.ends_as_in_peace(applied)
    restarts = status["restarts"]
    assert (status["attempt"], restarts["infrastructure"]) == (2, 1)
    assert not restarts.keys() & {"user", "disruption"}
    (loss,) = restarts["history"]
    assert (loss["class"], loss["reason"]) == ("InfrastructureError", "OOMKilled")
    assert "1Gi of memory" in status["failure"]["message"]


def test_a_process_that_stands_still_is_found_and_the_gang_goes_on(arena: Arena):
    applied = arena.pair("hung", run={"deadlines": {"hang": "15s"}})
    stop = lambda: signal_worker(arena.space, applied.pod(1), "STOP")  # noqa: E731
    disturb(applied, arena.store, "a stopped process, hang 15 s,", stop)
    status = arena.ends_as_in_peace(applied)
    (loss,) = status["restarts"]["history"]
    assert (loss["class"], loss["reason"]) == ("InfrastructureError", "HangDetected")
    uid = applied.object["metadata"]["uid"][:8]
    logs = arena.store / "jobs" / "transferjob" / f"hung-{uid}" / "logs" / "attempt-1"
    texts = [path.read_text() for path in logs.glob("stacks-*")]
    assert any("Thread" in text for text in texts), [*logs.glob("*")]
