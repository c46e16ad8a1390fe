"""Deployments as `graft ls` and `graft show` write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from graft_cli.cluster import served, sheet
from tests.cli.causes.situations import facts, job, pod, says

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
DIGEST = "sha256:0123456789abcdef"
READY = says("Ready", "True", "AsPlanned")


def deployment(*conditions: dict[str, Any], **status: Any) -> dict[str, Any]:
    source = {"from": {"job": {"kind": "TransferJob", "name": "wiki"}}}
    told = job(
        spec={"model": source, "replicas": 2}, conditions=list(conditions), attempt=None, **status
    )
    return told | {"kind": "ServeDeployment"}


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        pytest.param((), "New", id="nobody looked"),
        pytest.param((READY,), "Ready", id="it answers"),
        pytest.param((says("Ready", "False", "NoReplicas"),), "NotReady", id="no pod answers"),
        pytest.param((says("Ready", "False", "WaitingForJob"),), "Waiting", id="no model"),
        pytest.param(
            (says("Ready", "False", "RolledBack"), says("Degraded", "True", "RolledBack")),
            "Degraded",
            id="an unfit model",
        ),
    ],
)
def test_its_state_is_one_word(conditions: tuple[dict[str, Any], ...], state: str) -> None:
    assert served.state(deployment(*conditions)) == state


def test_its_line_tells_pods_model_and_digest() -> None:
    known = {"uri": "/store/artefacts/sha256-0123456789abcdef", "digest": DIGEST}
    raw = deployment(READY, model=known, display={"ready": "1/2"})
    assert served.row(raw, NOON) == (
        "ServeDeployment", "reviews", "Ready", "1/2", "wiki", "0123456789ab", "10m",
    )  # fmt: skip


def test_a_model_without_a_digest_is_told_by_its_folder() -> None:
    named = deployment(READY, model={"name": "sha256-89abcdef01234567"})
    assert served.digest(named) == "89abcdef0123"
    assert served.digest(deployment(READY, model={"name": "my-model"})) == ""
    assert served.row(deployment(), NOON)[3:6] == ("0/2", "wiki", "-")


def test_its_sheet_tells_what_answers_where() -> None:
    raw = deployment(
        READY,
        url="http://reviews-serve.team-a.svc",
        model={"uri": "/store/sha256-1", "digest": DIGEST},
        rollout={"state": "Stable"},
        readyReplicas=2,
    )
    pods = (pod(name="reviews-serve-x", role="server", attempt=0, node="n1", ready=True),)
    lines = [line.split() for line in sheet.sheet(facts(raw, pods=pods))]
    assert lines[0] == ["ServeDeployment", "reviews", "in", "team-a:", "Ready"]
    for expected in (
        ["model", "job", "TransferJob/wiki"],
        ["replicas", "2"],
        ["ready", "2/2"],
        ["url", "http://reviews-serve.team-a.svc"],
        ["digest", DIGEST],
        ["roll-out", "Stable"],
        ["reviews-serve-x", "n1", "ready"],
    ):
        assert expected in lines
