"""What a gang that does not run yet says it waits for."""

from __future__ import annotations

import pytest

from graft_operator.observed import Observed
from tests.builders import at, batch, condition, look, pod, prepared, subject

QUOTA = 'pods "reviews-t1-0-" is forbidden: exceeded quota: none, requested: pods=1'
PRIORITY = 'pods "reviews-t1-0-" is forbidden: no PriorityClass with name no-such was found'


@pytest.mark.parametrize(
    ("words", "reason", "remedy"),
    [
        (QUOTA, "QuotaExceeded", "wait for others to end, ask for less, or have the quota raised"),
        (PRIORITY, "PodsRefused", "correct what it names in the job, or have the cluster allow it"),
    ],
)
def test_the_reason_for_which_no_pod_can_be_made(words: str, reason: str, remedy: str):
    seen = Observed(jobs=(batch(),), problems=(words,), store_known=True)
    outcome = look(prepared(subject()), seen, now=at(10))
    assert condition(outcome, "Running") == ("False", reason, f"{words}; {remedy}")
    assert outcome.status is not None
    assert outcome.status["phase"] == "Pending"


@pytest.mark.parametrize(
    ("facts", "reason", "message"),
    [
        pytest.param(
            {"unscheduled": "0/2 nodes are available: 2 Insufficient cpu."},
            "WaitingForWorkers",
            "pod reviews-worker1-0 finds no node: 0/2 nodes are available: 2 Insufficient cpu;"
            " see workers.resources and workers.podTemplate, or add a node",
            id="no node",
        ),
        pytest.param(
            {"unscheduled": 'persistentvolumeclaim "graft-store" not found'},
            "WaitingForWorkers",
            'pod reviews-worker1-0 finds no node: persistentvolumeclaim "graft-store" not found;'
            " see the claims of the namespace and their storage class",
            id="no claim",
        ),
        pytest.param(
            {"waiting": "ImagePullBackOff", "waiting_message": 'Back-off pulling image "x:1"'},
            "ImagePull",
            'pod reviews-worker1-0: Back-off pulling image "x:1";'
            " see workers.image and the pull secrets",
            id="no image",
        ),
        pytest.param(
            {"waiting": "CreateContainerConfigError", "waiting_message": 'secret "s" not found'},
            "ContainerConfig",
            'pod reviews-worker1-0: secret "s" not found; make it or correct the name',
            id="no secret",
        ),
        pytest.param(
            {"waiting": "ContainerCreating"},
            "Starting",
            "pod reviews-worker1-0 waits for its volumes and its container",
            id="no volume yet",
        ),
    ],
)
def test_what_holds_a_pod_up(facts: dict[str, str], reason: str, message: str):
    seen = Observed(jobs=(batch(active=1),), pods=(pod(**facts),), store_known=True)
    outcome = look(prepared(subject()), seen, now=at(10))
    assert condition(outcome, "Running") == ("False", reason, message)
