"""The operator or the API server is away for a while: training does not notice."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tests.cluster import api_server, audit
from tests.cluster.cluster import LocalCluster
from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.gangs.arena import ENDLESS, LONG
from tests.gangs.jobs import FINISHED, Applied, apply, small
from tests.gangs.operators import Operator

KILLS = 14
AWAY_SECONDS = float(os.environ.get("GRAFT_TEST_AWAY_SECONDS", "20"))


def names_of_jobs(space: Namespace) -> list[str]:
    return sorted(j["metadata"]["name"] for j in space.api.list("batch/v1", "Job", space.name))


def test_nothing_happens_to_a_gang_while_the_operator_or_the_server_is_away(
    space: Namespace, store: Path, operator: Operator, local_cluster: LocalCluster
):
    applied = apply(space, small("steady", training=LONG))
    applied.step(40)
    operator.kill()
    local_cluster.restart_api_server()
    operator.start()
    status = applied.phase("Complete")
    assert status["attempt"] == 1
    assert not status.get("restarts")


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
    assert names_of_jobs(space) == ["lonely-p1", "lonely-t1"]
    assert len(applied_pods(space)) == 2


def test_a_job_that_ends_while_the_operator_is_away_is_complete_when_it_is_back(
    space: Namespace, store: Path, operator: Operator
):
    applied = apply(space, small("alone", training=LONG))
    applied.step(40)
    operator.kill()
    try:
        until(lambda: succeeded(applied), "the end of the batch Job", seconds=FINISHED)
        assert applied.status["phase"] == "Running"
    finally:
        operator.start()
    status = applied.phase("Complete")
    assert status["attempt"] == 1
    assert not status.get("restarts")
    assert names_of_jobs(space) == ["alone-p1", "alone-t1"]


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
    assert names_of_jobs(space) == ["again-p1", "again-t1"]


def test_an_operator_that_dies_after_every_write_makes_nothing_twice(
    space: Namespace, store: Path, operator: Operator, local_cluster: LocalCluster
):
    dead_after: list[str] = []
    with api_server.audit_log(local_cluster.settings).open(encoding="utf-8") as log:
        log.seek(0, 2)
        applied = apply(space, small("mortal", workers={"desired": 2}, training=LONG))
        for _ in range(KILLS):
            dead_after += until(lambda: [*own_writes(log, space)], "a write", pause=0.01)
            operator.kill()
            operator.start()
    assert {"create networkpolicies", "create jobs", "patch transferjobs"} <= set(dead_after)
    status = applied.phase("Complete")
    assert status["attempt"] == 1
    assert not status.get("restarts")
    assert names_of_jobs(space) == ["mortal-p1", "mortal-t1"]
    created = [name for name in applied_pods(space) if name.startswith("mortal-t1-")]
    assert len(created) == 2


def own_writes(log: TextIO, space: Namespace) -> Iterator[str]:
    """What the operator has managed to write in the namespace, as `create jobs`."""
    while (line := log.readline()).endswith("\n"):
        told = json.loads(line)
        about = told.get("objectRef") or {}
        ours = told.get("userAgent", "").startswith("graft-operator")
        done = told["verb"] in audit.WRITES and told["responseStatus"]["code"] < 300
        if ours and done and about.get("namespace") == space.name:
            yield f"{told['verb']} {about['resource']}"


def applied_pods(space: Namespace) -> list[str]:
    return [pod["metadata"]["name"] for pod in space.pods()]


def succeeded(applied: Applied) -> bool:
    job = applied.space.api.get("batch/v1", "Job", f"{applied.name}-t1", applied.space.name)
    return any(
        c["type"] == "Complete" and c["status"] == "True"
        for c in (job.get("status") or {}).get("conditions") or ()
    )
