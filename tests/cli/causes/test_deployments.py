"""Why a deployment has no pod that answers, and what is said when it has."""

from __future__ import annotations

from typing import Any

import pytest

from graft_cli.causes.facts import Facts, Operator
from graft_cli.causes.table import causes
from tests.cli.causes.situations import before, event, facts, job, pod, says

WAITS = "spec.model.from.job: waits for TransferJob wiki, which is Running"
UNFIT = "/store/sha256-2 was taken back, nothing answers; change spec.model: golden logits differ"
CLOSED = "Gateway edge/public does not take the route: no listener of that name"
BACK = "/store/sha256-2 was taken back, /store/sha256-1 goes on; change spec.model: no answer"


def deployment(*conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The deployment of a job's model; a pod of it is wanted."""
    spec = {"model": {"from": {"job": {"kind": "TransferJob", "name": "wiki"}}}, "replicas": 2}
    told = job(spec=spec | more.pop("spec", {}), conditions=list(conditions), attempt=None, **more)
    return told | {"kind": "ServeDeployment"}


def server(**state: Any) -> Any:
    """A pod that answers requests."""
    return pod(**({"name": "reviews-serve-x", "role": "server", "attempt": 0} | state))


def no_pod(message: str = "no pod answers yet") -> tuple[dict[str, Any], ...]:
    """What the operator says while nothing answers."""
    return (says("Available", "False", "NoReplicas", message),)


SITUATIONS = [
    pytest.param(
        facts(deployment(says("ModelLoaded", "False", "WaitingForJob", WAITS))),
        "WaitingForJob",
        f"It serves what a job makes: {WAITS}.",
        "graft why transferjob/wiki",
        id="its model is not there",
    ),
    pytest.param(
        facts(deployment(says("Degraded", "True", "ModelUnfit", UNFIT), *no_pod())),
        "ModelUnfit",
        f"The model cannot be served: {UNFIT}.",
        "name another model in spec.model: graft submit",
        id="its model is unfit",
    ),
    pytest.param(
        facts(deployment(says("Degraded", "True", "RolledBack", BACK))),
        "RolledBack",
        f"A new model was taken back: {BACK}.",
        "name another model in spec.model, or the one that answers: graft submit",
        id="a new model was unfit",
    ),
    pytest.param(
        facts(deployment(says("Available", "False", "ScaledToZero", "spec.replicas is 0"))),
        "ScaledToZero",
        "No pod is wanted: spec.replicas is 0.",
        "kubectl -n team-a scale serve/reviews --replicas=1",
        id="nobody asked for a pod",
    ),
    pytest.param(
        facts(
            deployment(*no_pod()), pods=(server(unscheduled="0/3 nodes: 3 Insufficient memory."),)
        ),
        "Insufficient",
        "No node has enough memory free for pod reviews-serve-x: 0/3 nodes: 3 Insufficient memory.",
        "wait for others to end, or lower resources or replicas",
        id="no node has room",
    ),
    pytest.param(
        facts(
            deployment(*no_pod()),
            pods=(server(waiting="ErrImagePull", waiting_message="serve:1: not found"),),
        ),
        "ImageMissing",
        "There is no such image: pod reviews-serve-x: serve:1: not found.",
        "correct the name and the tag",
        id="there is no such image",
    ),
    pytest.param(
        facts(
            deployment(*no_pod()),
            events=(
                event(
                    "FailedCreate",
                    'pods "reviews-serve-x" is forbidden: exceeded quota: q, requested: pods=1,'
                    " used: pods=9, limited: pods=9",
                    about="ReplicaSet/reviews-serve-5d9",
                ),
            ),
        ),
        "QuotaExceeded",
        "The namespace's quota has no room for the pods: asked for pods=1, used already pods=9,"
        " allowed pods=9 by ResourceQuota q.",
        "lower replicas or resources, or end other jobs of the namespace",
        id="a quota has no room",
    ),
    pytest.param(
        facts(
            deployment(*no_pod(), spec={"resources": {"memory": "300Mi"}}),
            pods=(server(started=True, exit_code=137, reason="OOMKilled"),),
        ),
        "OOMKilled",
        "Pod reviews-serve-x used more than its 300Mi of memory and was killed.",
        "raise resources.memory: graft submit",
        id="its memory is too small",
    ),
    pytest.param(
        facts(
            deployment(*no_pod()),
            pods=(server(started=True, exit_code=2, words="graft serve: error: no such port\n"),),
        ),
        "ServerFailed",
        "The server of pod reviews-serve-x ended with exit code 2:"
        " graft serve: error: no such port.",
        "kubectl -n team-a logs reviews-serve-x --previous",
        id="its server ends",
    ),
    pytest.param(
        facts(deployment(*no_pod("pod reviews-serve-x: waits for a node"))),
        "NoReplicas",
        "No pod answers: pod reviews-serve-x: waits for a node.",
        "kubectl -n team-a describe pods --selector graft.dev/job=reviews",
        id="the operator knows why",
    ),
    pytest.param(
        facts(deployment(*no_pod()), pods=(server(started=True, node="n1", created=before(70)),)),
        "Proving",
        "Pod reviews-serve-x reads its model and compares what it answers with the golden"
        " examples, for 70 s so far; it is given ten minutes.",
        "kubectl -n team-a logs reviews-serve-x",
        id="its model is being read",
    ),
    pytest.param(
        facts(deployment(*no_pod())),
        "Starting",
        "Its pods are being made: 0 are there, none answers yet.",
        "graft show serve/reviews",
        id="its pods are being made",
    ),
    pytest.param(
        facts(deployment(says("Routed", "False", "NotAccepted", CLOSED))),
        "NotAccepted",
        f"Requests of its Gateway do not come: {CLOSED}.",
        "kubectl -n team-a describe httproute reviews-serve",
        id="its Gateway lets no route in",
    ),
    pytest.param(
        facts(deployment(says("QueueScaling", "False", "PrometheusUnknown", "KEDA is there"))),
        "PrometheusUnknown",
        "Its pods do not follow the queue: KEDA is there.",
        "helm upgrade graft charts/graft --reuse-values --set serve.prometheus=http://…",
        id="nobody knows of its queue",
    ),
    pytest.param(
        facts(
            deployment(
                says("Available", "True", "Answers", "2 of 2 pods answer"),
                says("Progressing", "True", "RollingOut", "pods of the new model are starting"),
                says("Ready", "True", "AsPlanned"),
            )
        ),
        "RollingOut",
        "Nothing is wrong: 2 of 2 pods answer; pods of the new model are starting.",
        "graft show serve/reviews",
        id="a new model comes",
    ),
    pytest.param(
        facts(
            deployment(
                says("Available", "True", "Answers", "2 of 2 pods answer"),
                says("Ready", "True", "AsPlanned"),
                url="http://reviews-serve.team-a.svc",
            )
        ),
        "Answers",
        "Nothing is wrong: 2 of 2 pods answer at http://reviews-serve.team-a.svc.",
        "graft show serve/reviews",
        id="all is well",
    ),
]


@pytest.mark.parametrize(("known", "name", "sentence", "step"), SITUATIONS)
def test_a_deployment_says_what_is_with_it(
    known: Facts, name: str, sentence: str, step: str
) -> None:
    (found,) = causes(known)
    assert (found.name, found.says, found.do[0]) == (name, sentence, step)


def test_a_dead_operator_and_an_unfit_model_are_both_told() -> None:
    silent = Operator(namespace="graft-system", holder="x", age=120)
    raw = deployment(says("Degraded", "True", "ModelUnfit", UNFIT), *no_pod())
    found = causes(facts(raw, operator=silent))
    assert [cause.name for cause in found] == ["OperatorSilent", "ModelUnfit"]
    assert "Pods that answer go on" in found[0].says


def test_nothing_is_right_while_nobody_has_looked_at_it() -> None:
    raw = deployment(observedGeneration=None) | {"status": {}}
    found = causes(facts(raw, operator=Operator(namespace="graft-system")))
    assert [cause.name for cause in found] == ["NoOperator"]
    assert "nobody has looked at the deployment for 10 min" in found[0].says


def test_the_image_of_a_server_is_the_charts() -> None:
    raw = deployment(*no_pod())
    pods = (server(waiting="ErrImagePull", waiting_message="not found"),)
    assert causes(facts(raw, pods=pods))[0].do[1] == (
        "the image of servers is the chart's value `serve.image`"
    )


def test_events_of_other_deployments_do_not_count() -> None:
    note = "exceeded quota: q, requested: pods=1, used: pods=9, limited: pods=9"
    told = event("FailedCreate", note, about="ReplicaSet/reviews-two-serve-5d9")
    assert causes(facts(deployment(*no_pod()), events=(told,)))[0].name == "Starting"
