"""A job that starts from what another makes, in a cluster; the reader is applied first."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.namespaces import Namespace
from tests.gangs.jobs import apply, small

SHORT = {"duration": {"steps": 10}}


def test_a_job_waits_for_another_and_starts_from_its_artefact(space: Namespace, store: Path):
    reader = small("reader", training=SHORT)
    reader["spec"]["model"] = {"from": {"job": {"kind": "TransferJob", "name": "base"}}}
    second = apply(space, reader)
    waits = second.until(lambda s: "WaitingForJob" in str(s.get("conditions")), "what it waits for")
    assert waits["phase"] == "Pending"
    assert not space.pods()
    base = apply(space, small("base", training=SHORT)).phase("Complete")
    status = second.phase("Complete")
    made = base["artefact"]
    pin = {"kind": "TransferJob", "name": "base", "digest": made["digest"], "uri": made["uri"]}
    assert status["references"] == [pin]
