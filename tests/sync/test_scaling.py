"""Pods that follow the queue: who is asked to see to it, and what is said where nobody can."""

from __future__ import annotations

import pytest

from graft_operator.observed import Apis
from tests.builders import SETTINGS
from tests.sync.rollouts import CANARY, STABLE, asks, served

SCALED, AUTOSCALER = "ScaledObject", "HorizontalPodAutoscaler"
SCALING = {"min": 2, "max": 6, "target": {"queueDepth": 8}}
KEDA, ADAPTER = Apis(scaled_objects=True), Apis(pod_metrics=True)
BOTH = Apis(scaled_objects=True, pod_metrics=True)
KNOWN = SETTINGS.model_copy(update={"prometheus": "http://prometheus:9090"})
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "reviews-serve"}
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}
QUEUE = {
    "type": "Pods",
    "pods": {
        "metric": {"name": "graft_serve_queue_depth"},
        "target": {"type": "AverageValue", "averageValue": "8"},
    },
}


def scaling(apis=KEDA, settings=KNOWN, **spec):
    return served(apis=apis, settings=settings, **{"autoscaling": SCALING} | spec)


def scalers(world):
    return {SCALED, AUTOSCALER} & set(world.bodies)


def test_keda_gets_the_queue_as_prometheus_knows_it_and_the_cpu():
    world = scaling()
    assert scalers(world) == {SCALED}
    assert "replicas" not in world.bodies[STABLE]["spec"]
    spec = world.bodies[SCALED]["spec"]
    assert spec["scaleTargetRef"] == TARGET
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 6)
    query = 'sum(graft_serve_queue_depth{namespace="team",model="reviews",pod=~"reviews-serve-.+"})'
    assert spec["triggers"] == [
        {
            "type": "prometheus",
            "metricType": "AverageValue",
            "metadata": {
                "serverAddress": "http://prometheus:9090",
                "query": query,
                "threshold": "8",
            },
        },
        {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "80"}},
    ]
    assert world.condition("QueueScaling")[:2] == ("True", "ByKeda")


@pytest.mark.parametrize(
    ("apis", "settings", "metrics", "told"),
    [
        (ADAPTER, KNOWN, [CPU, QUEUE], ("True", "ByAdapter", "8 waiting requests at each pod")),
        (BOTH, SETTINGS, [CPU, QUEUE], ("True", "ByAdapter", "by the metrics adapter")),
        (KEDA, SETTINGS, [CPU], ("False", "PrometheusUnknown", "set serve.prometheus")),
        (Apis(), KNOWN, [CPU], ("False", "NothingTells", "neither KEDA (keda.sh/v1alpha1) nor")),
    ],
)
def test_without_keda_the_autoscaler_has_what_there_is_and_the_condition_says_what_is_missing(
    apis, settings, metrics, told
):
    world = scaling(apis=apis, settings=settings)
    assert scalers(world) == {AUTOSCALER}
    spec = world.bodies[AUTOSCALER]["spec"]
    assert (spec["metrics"], spec["scaleTargetRef"]) == (metrics, TARGET)
    status, reason, words = told
    found = world.condition("QueueScaling")
    assert found[:2] == (status, reason)
    assert words in found[2]
    assert ("the CPU alone scales, at 80 %" in found[2]) == (status == "False")
    assert world.condition("Ready")[0] == "True"


def test_there_are_never_two_who_scale():
    world = scaling(apis=Apis())
    watched = []
    world.watch = lambda now: watched.append(scalers(now))
    world.apis = BOTH
    world.rest()
    assert [each for each in world.told if each != "status"] == [
        f"delete {AUTOSCALER}",
        f"create {SCALED}",
    ]
    assert {SCALED, AUTOSCALER} not in watched
    assert scalers(world) == {SCALED}
    world.spec = world.spec | {"autoscaling": SCALING | {"target": {"cpu": 70}}}
    world.change()
    world.rest()
    assert scalers(world) == {AUTOSCALER}
    assert world.condition("QueueScaling")[:2] == ("False", "NotAsked")


def test_what_the_scaler_complains_of_is_told():
    world = scaling()
    world.unscaled = "KEDA says: no such host"
    world.tick()
    status, reason, message = world.condition("QueueScaling")
    assert (status, reason) == ("False", "NotFollowed")
    assert "no such host" in message


def test_keda_takes_no_stable_pod_away_while_a_canary_runs():
    world = asks(scaling())
    behavior = lambda: world.bodies[SCALED]["spec"]["advanced"]  # noqa: E731
    world.until("Step")
    world.tick()
    assert CANARY in world.bodies
    kept = {"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}
    assert behavior() == {"horizontalPodAutoscalerConfig": kept}
    world.until("Stable")
    world.rest()
    usual = {"behavior": {"scaleDown": {"selectPolicy": "Max"}}}
    assert behavior() == {"horizontalPodAutoscalerConfig": usual}


def test_a_deployment_that_scales_by_the_cpu_hears_nothing_of_queues():
    world = scaling(autoscaling=SCALING | {"target": {"cpu": 70}}, apis=BOTH)
    assert scalers(world) == {AUTOSCALER}
    assert "QueueScaling" not in [c["type"] for c in world.status["conditions"]]
