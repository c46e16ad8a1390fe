"""The operator or the API server is away for a while: training does not notice."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from tests.cluster import api_server, audit
from tests.cluster.cluster import LocalCluster
from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.gangs.arena import ENDLESS, MIDDLE, Arena
from tests.gangs.jobs import FINISHED, Applied, apply, small
from tests.gangs.operators import Operator

KILLS = 14
AWAY_SECONDS = float(os.environ.get("GRAFT_TEST_AWAY_SECONDS", "20"))


def names_of_jobs(applied: Applied) -> list[str]:
    space, labels = applied.space, f"graft.dev/job={applied.name}"
    found = space.api.list("batch/v1", "Job", space.name, labels=labels)
    return sorted(job["metadata"]["name"] for job in found)


def test_a_gang_trains_on_while_the_server_is_away_and_the_operator_outlives_it(
    arena: Arena, operator: Operator, local_cluster: LocalCluster
):
    applied = arena.pair("steady")
    applied.step(MIDDLE)
    began = datetime.now(UTC)
    local_cluster.restart_api_server()
    back = datetime.now(UTC)
    status = arena.ends_as_in_peace(applied)
    assert status["attempt"] == 1
    assert not status.get("restarts")
    steps = steps_between(began, back, applied, arena.store)
    assert steps[0] < steps[-1]
    assert operator.process
    assert operator.process.poll() is None


def steps_between(began: datetime, ended: datetime, applied: Applied, store: Path) -> list[int]:
    """The steps that the gang reported meanwhile."""
    told = ((datetime.fromisoformat(r["time"]), r["step"]) for r in applied.reports(store))
    return [step for moment, step in told if began < moment < ended]


def test_training_goes_on_for_as_long_as_the_operator_is_away(
    space: Namespace, store: Path, operator: Operator
):
    """Twenty seconds, or as many as GRAFT_TEST_AWAY_SECONDS says."""
    applied = apply(space, small("lonely", training=ENDLESS))
    applied.step(20)
    operator.kill()
    end = time.monotonic() + AWAY_SECONDS
    try:
        until(lambda: time.monotonic() > end, "the end of the outage", seconds=2 * AWAY_SECONDS)
        step = applied.reports(store)[-1]["step"]
        assert applied.status["progress"]["step"] < step
    finally:
        operator.start()
    status = applied.step(step)
    assert status["attempt"] == 1
    assert not status.get("restarts")
    assert names_of_jobs(applied) == ["lonely-p1", "lonely-t1"]
    assert len(space.pods()) == 2


def test_a_job_that_ends_while_the_operator_is_away_is_complete_when_it_is_back(
    arena: Arena, operator: Operator
):
    applied = arena.pair("alone")
    applied.step(MIDDLE)
    operator.kill()
    try:
        until(lambda: succeeded(applied), "the end of the batch Job", seconds=FINISHED)
        assert applied.status["phase"] == "Running"
    finally:
        operator.start()
    status = arena.ends_as_in_peace(applied)
    assert status["attempt"] == 1
    assert not status.get("restarts")
    assert names_of_jobs(applied) == ["alone-p1", "alone-t1"]


def test_a_killed_operator_goes_on_where_it_was(space: Namespace, store: Path, operator: Operator):
    applied = apply(space, small("again"))
    until(lambda: applied.pods("prepare"), "the prepare pod")
    operator.kill()
    operator.start()
    applied.step(1)
    operator.kill()
    operator.start()
    status = applied.phase("Complete")
    assert status["attempt"] == 1
    assert names_of_jobs(applied) == ["again-p1", "again-t1"]


def test_an_operator_that_dies_after_every_write_makes_nothing_twice(
    arena: Arena, operator: Operator, local_cluster: LocalCluster
):
    dead_after: list[str] = []
    with api_server.audit_log(local_cluster.settings).open(encoding="utf-8") as log:
        log.seek(0, 2)
        applied = arena.pair("mortal")
        for _ in range(KILLS):
            dead_after += until(lambda: [*own_writes(log, arena.space)], "a write", pause=0.01)
            operator.kill()
            operator.start()
    assert {"create networkpolicies", "create jobs", "patch transferjobs"} <= set(dead_after)
    status = arena.ends_as_in_peace(applied)
    assert status["attempt"] == 1
    assert not status.get("restarts")
    assert names_of_jobs(applied) == ["mortal-p1", "mortal-t1"]
    assert len(applied.pods()) == 2


def own_writes(log: TextIO, space: Namespace) -> Iterator[str]:
    """What the operator has managed to write in the namespace, as `create jobs`."""
    while (line := log.readline()).endswith("\n"):
        told = json.loads(line)
        about = told.get("objectRef") or {}
        ours = told.get("userAgent", "").startswith("graft-operator")
        done = told["verb"] in audit.WRITES and told["responseStatus"]["code"] < 300
        if ours and done and about.get("namespace") == space.name:
            yield f"{told['verb']} {about['resource']}"


def succeeded(applied: Applied) -> bool:
    job = applied.space.api.get("batch/v1", "Job", f"{applied.name}-t1", applied.space.name)
    return any(
        c["type"] == "Complete" and c["status"] == "True"
        for c in (job.get("status") or {}).get("conditions") or ()
    )
