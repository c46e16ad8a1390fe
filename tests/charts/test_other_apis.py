"""What the operator writes in the types of other projects, as the real API server takes it.

It has the rights that the chart gives it, and the definitions are the published ones, so that the
server checks every field. None of their controllers runs: that requests are split, and pods made,
as these objects say is theirs to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from graft_operator.cluster import reading
from graft_operator.observed import Apis, Observed
from graft_operator.settings import Settings
from graft_operator.sync import sync
from tests.charts.clusters import NOWHERE, Space
from tests.charts.operators import Running, operator_of
from tests.cluster import definitions
from tests.cluster.api import Api, Object, RefusedError
from tests.cluster.cluster import LocalCluster
from tests.cluster.fixtures import SPACE
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.versions import ROUTES, SCALED_OBJECTS
from tests.cluster.wait import until
from tests.gangs.jobs import Applied, apply
from tests.gangs.servers import serve

GATEWAY = "gateway.networking.k8s.io/v1"
HERE = {"kind": "Gateway", "name": "public", "namespace": "edge"}
PROMETHEUS = "http://prometheus.watch:9090"
HPA = ("autoscaling/v2", "HorizontalPodAutoscaler")
KEDA = "keda.sh/v1alpha1"
NAME = "reviews-serve"


@pytest.fixture
def operated(
    local_cluster: LocalCluster, cluster: Cluster, space: Space, tmp_path: Path
) -> Iterator[tuple[Namespace, Running]]:
    """A namespace with the operator of a release, where the types of the others are known."""
    values = {"replicas": 0, "namespaces": [space.name], "leaderElection": False}
    with definitions.known(cluster.api, (ROUTES, SCALED_OBJECTS)):
        space.install(values | {"serve": {"gateway": True, "prometheus": PROMETHEUS}})
        with operator_of(space, tmp_path) as running:
            until(lambda: running.code("/readyz") == 200, "the operator")
            yield Namespace(cluster=cluster, name=space.name, logs=[running.log]), running


def child(space: Namespace, version: str, kind: str) -> Object:
    """The deployment's child of that kind as soon as the operator has made it."""
    api = space.api
    return until(lambda: api.find(version, kind, NAME, space.name), f"{kind} {NAME}")


def refused(api: Api, body: Object, **spec: object) -> int:
    """The server's code for a child with other fields."""
    meta = {"name": "bent", "namespace": body["metadata"]["namespace"]}
    bent = {key: body[key] for key in ("apiVersion", "kind")}
    with pytest.raises(RefusedError) as error:
        api.create(bent | {"metadata": meta, "spec": body["spec"] | spec})
    return error.value.status


def test_the_server_takes_what_is_written_in_the_types_of_others(
    operated: tuple[Namespace, Running], request: pytest.FixtureRequest
) -> None:
    space, operator = operated
    request.node.stash[SPACE] = space
    gateway = {"name": "public", "namespace": "edge", "hostnames": ["a.example"], "path": "/r"}
    spec = {
        "model": {"from": {"uri": "/graft/store/artefacts/none"}},
        "podTemplate": {"spec": {"nodeSelector": NOWHERE}},
        "gateway": gateway,
        "autoscaling": {"min": 2, "max": 6, "target": {"queueDepth": 8}},
    }
    served = apply(space, serve("reviews", **spec))
    a_route_by_weights(space, served)
    an_object_for_keda(space, served)
    an_autoscaler_by_a_metric_of_pods(space, served)
    nothing_of_others_where_it_is_not_asked_for(space, served)
    assert operator.refused() == []


def a_route_by_weights(space: Namespace, served: Applied) -> None:
    made = child(space, GATEWAY, "HTTPRoute")
    (parent,), (rule,) = made["spec"]["parentRefs"], made["spec"]["rules"]
    assert parent.items() >= HERE.items()
    assert made["spec"]["hostnames"] == ["a.example"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/r"}}]
    assert rule["filters"][0]["urlRewrite"]["path"]["replacePrefixMatch"] == "/"
    weights = {each["name"]: each["weight"] for each in rule["backendRefs"]}
    assert weights == {"reviews-serve": 100, "reviews-canary": 0}
    for name in weights:  # the route leads somewhere
        ports = space.api.get("v1", "Service", name, space.name)["spec"]["ports"]
        assert [port["port"] for port in ports] == [80]
    assert {each["port"] for each in rule["backendRefs"]} == {80}
    bent = rule | {"backendRefs": [rule["backendRefs"][0] | {"weight": -1}]}
    assert refused(space.api, made, rules=[bent]) == 422
    served.until(lambda _: served.condition("Routed"), "the word about the route")
    assert served.condition("Routed")["reason"] == "Pending"  # nobody is there to take it


def an_object_for_keda(space: Namespace, served: Applied) -> None:
    made = child(space, KEDA, "ScaledObject")
    spec = made["spec"]
    assert spec["scaleTargetRef"]["name"] == "reviews-serve"
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 6)
    waiting, cpu = spec["triggers"]
    assert waiting["metadata"]["serverAddress"] == PROMETHEUS
    assert waiting["metadata"]["threshold"] == "8"
    assert f'namespace="{space.name}"' in waiting["metadata"]["query"]
    assert (cpu["type"], cpu["metadata"]) == ("cpu", {"value": "80"})
    assert refused(space.api, made, triggers=[waiting | {"metricType": 1}]) == 422
    assert served.condition("QueueScaling")["reason"] == "ByKeda"
    assert space.api.list(*HPA, space.name) == []  # KEDA makes its own


def an_autoscaler_by_a_metric_of_pods(space: Namespace, served: Applied) -> None:
    """As it would be with a metrics adapter in the place of KEDA; the server checks it only."""
    subject = reading.subject(served.object, kind="ServeDeployment")
    seen = Observed(apis=Apis(pod_metrics=True))
    fresh = replace(subject, status={})
    outcome = sync(fresh, seen, settings=Settings(), now=datetime.now(UTC))
    (body,) = [each for each in outcome.create if each["kind"] == HPA[1]]
    path = space.api.path(*HPA, namespace=space.name)
    taken = space.api.request("POST", path, body=body, query={"dryRun": "All"})
    cpu, waiting = sorted(taken["spec"]["metrics"], key=lambda each: each["type"], reverse=True)
    assert cpu["resource"]["target"]["averageUtilization"] == 80
    assert waiting["pods"]["metric"]["name"] == "graft_serve_queue_depth"
    assert waiting["pods"]["target"] == {"type": "AverageValue", "averageValue": "8"}


def nothing_of_others_where_it_is_not_asked_for(space: Namespace, served: Applied) -> None:
    served.patch(gateway=None, autoscaling={"target": {"queueDepth": None, "cpu": 70}})
    space.gone("HTTPRoute", NAME, version=GATEWAY)
    space.gone("ScaledObject", NAME, version=KEDA)
    space.gone("Service", "reviews-canary")
    assert child(space, *HPA)["spec"]["minReplicas"] == 2
    service = space.api.get("v1", "Service", NAME, space.name)
    assert "graft.dev/variant" not in service["spec"]["selector"]
