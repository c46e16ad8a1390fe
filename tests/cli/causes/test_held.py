"""Why a job waits: for the operator, for a person, for a queue, for what the cluster allows."""

from __future__ import annotations

from typing import Any

import pytest

from graft_cli.causes.facts import Facts, Operator, Queue
from graft_cli.causes.table import causes
from tests.cli.causes.situations import child, event, facts, job, says

NEW = {"observedGeneration": None, "attempt": None}


def refused(words: str) -> Facts:
    """The operator was told no when it made a child."""
    return facts(job(conditions=[says("Ready", "False", "ChildCreateFailed", words)]))


def queued(queue: Queue | None) -> Facts:
    """The job waits in a queue of which so much is known."""
    held = says("Queued", "True", "QuotaPending", "queue gold has not admitted it yet")
    return facts(job(spec={"run": {"queue": "gold"}}, conditions=[held]), queue=queue)


WAITS = "spec.model.from.job: waits for PretrainJob wiki, which is Running"
CONTROL = [
    pytest.param(
        facts(
            job(meta={"deletionTimestamp": "2026-03-01T11:59:00Z", "finalizers": ["a.b/c"]}),
        ),
        "Deleting",
        "The job is being removed; it is held by finalizers: a.b/c.",
        id="somebody removes it",
    ),
    pytest.param(
        facts(job(**NEW), operator=Operator(namespace="graft-system")),
        "NoOperator",
        "No operator runs in this cluster: there is no Lease graft-operator in namespace"
        " graft-system, and nobody has looked at the job for 10 min.",
        id="there is no operator",
    ),
    pytest.param(
        facts(job(), operator=Operator(namespace="ops", holder="graft-operator-7d9", age=300)),
        "OperatorSilent",
        "The operator does not run: graft-operator-7d9 renewed its Lease last 5 min ago."
        " Workers that run go on; nothing is started, scaled or reported.",
        id="the operator is dead",
    ),
    pytest.param(
        facts(job(), operator=Operator(namespace="ops", age=12)),
        "OperatorSilent",
        "The operator does not run: its Lease was given back 12 s ago."
        " Workers that run go on; nothing is started, scaled or reported.",
        id="the operator was taken away",
    ),
    pytest.param(
        facts(job(age=4, **NEW)),
        "New",
        "The job was made 4 s ago; the operator looks at it soon.",
        id="it is new",
    ),
    pytest.param(
        facts(job(**NEW)),
        "NotObserved",
        "The operator has not looked at this job for 10 min."
        " It may be set to leave namespace team-a out.",
        id="the operator does not look here",
    ),
    pytest.param(
        facts(job(generation=3, observedGeneration=2)),
        "OperatorBehind",
        "The operator has not looked at the last change yet: it knows 2 of 3.",
        id="the operator is behind",
    ),
    pytest.param(
        facts(job(spec={"managedBy": "kueue.x-k8s.io/multikueue"})),
        "ManagedElsewhere",
        "This operator leaves the job to kueue.x-k8s.io/multikueue, as spec.managedBy says.",
        id="another controller has it",
    ),
    pytest.param(
        facts(job(conditions=[says("Accepted", "False", "Invalid", "spec.app: no such app.")])),
        "Invalid",
        "The operator refuses the job: spec.app: no such app.",
        id="the operator refuses it",
    ),
    pytest.param(
        facts(job(conditions=[says("Ready", "False", "NameConflict", "Job reviews-t1 exists")])),
        "NameConflict",
        "A name that the job needs is taken: Job reviews-t1 exists.",
        id="a name is taken",
    ),
    pytest.param(
        facts(job(conditions=[says("Ready", "False", "InternalError", "KeyError: 'x'")])),
        "InternalError",
        "The operator stumbled over this job: KeyError: 'x'.",
        id="the operator has a bug",
    ),
]
HOLDING = [
    pytest.param(
        facts(job(spec={"run": {"suspend": True}})),
        "Stopping",
        "The job is being stopped: its workers save a checkpoint first.",
        id="a stop is under way",
    ),
    pytest.param(
        facts(job(conditions=[says("Suspended", "True", "SuspendedByUser", "saved at step 80")])),
        "Suspended",
        "Somebody stopped the job: saved at step 80.",
        id="somebody stopped it",
    ),
    pytest.param(
        facts(job(conditions=[says("Suspended", "True", "Preempted", "queue gold: by vip")])),
        "Preempted",
        "Others were more important and took its place: queue gold: by vip.",
        id="preempted",
    ),
    pytest.param(
        facts(
            job(
                spec={"model": {"from": {"job": {"kind": "PretrainJob", "name": "wiki"}}}},
                conditions=[says("Prepared", "False", "WaitingForJob", WAITS)],
            )
        ),
        "WaitingForJob",
        f"The job starts from another's model: {WAITS}.",
        id="it starts from another's model",
    ),
    pytest.param(
        queued(Queue(installed=False)),
        "KueueMissing",
        "The job waits in queue gold, and this cluster has no Kueue that could admit it.",
        id="nobody serves queues",
    ),
    pytest.param(
        queued(Queue(installed=True)),
        "QueueNotFound",
        "The job waits in queue gold, and team-a has none.",
        id="no such queue",
    ),
    pytest.param(
        queued(Queue(installed=True, exists=True, says="insufficient quota for cpu.")),
        "QuotaPending",
        "The job waits in queue gold: insufficient quota for cpu.",
        id="the queue is full",
    ),
    pytest.param(
        queued(None),
        "QuotaPending",
        "The job waits in queue gold: queue gold has not admitted it yet.",
        id="a queue that nobody may look at",
    ),
    pytest.param(
        refused(
            'Job reviews-t1: pods "reviews" is forbidden: exceeded quota: small,'
            " requested: limits.memory=8Gi, used: limits.memory=4Gi, limited: limits.memory=10Gi"
        ),
        "QuotaExceeded",
        "The namespace's quota has no room for the pods: asked for limits.memory=8Gi, used already"
        " limits.memory=4Gi, allowed limits.memory=10Gi by ResourceQuota small.",
        id="a quota",
    ),
    pytest.param(
        refused("Pod r: maximum cpu usage per Container is 1, but limit is 2"),
        "LimitRange",
        "The namespace's limits refuse the pods:"
        " Pod r: maximum cpu usage per Container is 1, but limit is 2.",
        id="a limit range",
    ),
    pytest.param(
        refused('pods "r" is forbidden: violates PodSecurity "restricted:latest": hostPath'),
        "PodSecurity",
        "The namespace's pod security level refuses the pods:"
        ' pods "r" is forbidden: violates PodSecurity "restricted:latest": hostPath.',
        id="pod security",
    ),
    pytest.param(
        refused('admission webhook "no.example.com" denied the request: not on Fridays'),
        "AdmissionDenied",
        "A rule of this cluster refuses the pods:"
        ' admission webhook "no.example.com" denied the request: not on Fridays.',
        id="a webhook",
    ),
    pytest.param(
        refused('pods "r" is forbidden: no PriorityClass with name vip was found'),
        "PriorityClassMissing",
        "There is no such priority class:"
        ' pods "r" is forbidden: no PriorityClass with name vip was found.',
        id="a priority class",
    ),
    pytest.param(
        facts(
            job(
                conditions=[
                    says(
                        "Running",
                        "False",
                        "PodsRefused",
                        'pods "r" is forbidden: violates PodSecurity "restricted:latest": hostPath;'
                        " correct what it names in the job, or have the cluster allow it",
                    )
                ]
            )
        ),
        "PodSecurity",
        "The namespace's pod security level refuses the pods:"
        ' pods "r" is forbidden: violates PodSecurity "restricted:latest": hostPath.',
        id="pod security, with the operator's own remedy",
    ),
    pytest.param(
        refused(
            'pods "r" is forbidden: error looking up service account: serviceaccount "t" not found'
        ),
        "ServiceAccountMissing",
        'The pods have no service account: pods "r" is forbidden:'
        ' error looking up service account: serviceaccount "t" not found.',
        id="a service account",
    ),
    pytest.param(
        refused('jobs.batch is forbidden: User "s" cannot create resource "jobs"'),
        "OperatorForbidden",
        "The operator lacks a right:"
        ' jobs.batch is forbidden: User "s" cannot create resource "jobs".',
        id="a right of the operator",
    ),
    pytest.param(
        refused("Service reviews: something new"),
        "ChildCreateFailed",
        "The cluster refuses what the job needs: Service reviews: something new.",
        id="whatever else is refused",
    ),
]


@pytest.mark.parametrize(("known", "name", "sentence"), [*CONTROL, *HOLDING])
def test_a_job_that_is_held(known: Facts, name: str, sentence: str) -> None:
    found = causes(known)[0]
    assert (found.name, found.says) == (name, sentence)
    assert found.do


def quota_of_pods(**state: Any) -> str:
    note = "exceeded quota: q, requested: pods=1, used: pods=9, limited: pods=9"
    told = event("FailedCreate", note, about="Job/reviews-t1")
    return causes(facts(job(), jobs=(child(**state),), events=(told,)))[0].name


def test_the_job_controllers_refusals_count_while_pods_are_missing() -> None:
    assert quota_of_pods(active=1) == "QuotaExceeded"
    assert quota_of_pods(active=2) == "Starting"


def test_without_a_look_at_the_lease_nobody_is_blamed() -> None:
    assert causes(facts(job(**NEW), operator=None))[0].name == "NotObserved"


def test_replicas_that_hand_over_are_no_silence() -> None:
    found = causes(facts(job(**NEW), operator=Operator(namespace="ops", age=3)))
    assert found[0].name == "NotObserved"


def test_a_dead_operator_and_a_stop_are_both_told() -> None:
    silent = Operator(namespace="graft-system", holder="x", age=120)
    found = causes(facts(job(spec={"run": {"suspend": True}}), operator=silent))
    assert [cause.name for cause in found] == ["OperatorSilent", "Stopping"]
