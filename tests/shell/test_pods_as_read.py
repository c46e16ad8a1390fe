"""What a pod's conditions say of its node."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from graft_operator.cluster import reading

MOMENT = "2026-01-01T12:00:30Z"


def pod(ready: dict[str, str], *, containers: str, **more: dict[str, str]) -> dict[str, Any]:
    conditions = [
        {"type": "Ready", "lastTransitionTime": MOMENT} | ready,
        {"type": "ContainersReady", "status": containers},
        *({"type": kind} | condition for kind, condition in more.items()),
    ]
    return {
        "metadata": {"name": "reviews-t1-0", "uid": "u"},
        "spec": {"nodeName": "node2"},
        "status": {"phase": "Running", "conditions": conditions},
    }


LOST = [
    pytest.param(
        pod({"status": "False"}, containers="True"), id="marked by the node controller alone"
    ),
    pytest.param(
        pod(
            {"status": "False", "reason": "ContainersNotReady"},
            containers="False",
            DisruptionTarget={
                "status": "True",
                "reason": "DeletionByTaintManager",
                "lastTransitionTime": MOMENT,
            },
        ),
        id="to be deleted by the node's taint",
    ),
]
ALIVE = [
    pytest.param(pod({"status": "True"}, containers="True"), id="ready"),
    pytest.param(
        pod({"status": "False", "reason": "ContainersNotReady"}, containers="False"),
        id="its probe fails",
    ),
    pytest.param(
        pod({"status": "False", "reason": "ReadinessGatesNotReady"}, containers="True"),
        id="a gate of somebody else is shut",
    ),
]


@pytest.mark.parametrize("raw", LOST)
def test_a_node_that_is_silent_is_seen_in_its_pods(raw: dict[str, Any]):
    assert reading.pod(raw).node_lost == datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("raw", ALIVE)
def test_a_pod_whose_kubelet_speaks_has_its_node(raw: dict[str, Any]):
    assert reading.pod(raw).node_lost is None
