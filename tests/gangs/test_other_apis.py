"""What the operator writes in the types of other projects, as the real API server takes it.

Their definitions are the published ones, so the server checks every field. None of their
controllers runs: that requests are split as the route says is theirs to show.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import definitions
from tests.cluster.api import Api, Object, RefusedError
from tests.cluster.cluster import LocalCluster
from tests.cluster.fixtures import SPACE
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.versions import ROUTES
from tests.cluster.wait import until
from tests.gangs.jobs import Applied, apply
from tests.gangs.operators import Operator, without_resident
from tests.gangs.servers import serve

GATEWAY = "gateway.networking.k8s.io/v1"
HERE = {"kind": "Gateway", "name": "public", "namespace": "edge"}
NOWHERE = {"spec": {"nodeSelector": {"graft.dev/test": "nowhere"}}}  # no pod has to start here


@pytest.fixture
def space(
    cluster: Cluster,
    local_cluster: LocalCluster,
    crds: None,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[Namespace]:
    """A namespace with an operator of its own, where the types of the others are known."""
    with definitions.known(cluster.api, (ROUTES,)), without_resident(request.config):
        space = Namespace.make(cluster, request.node.name)
        request.node.stash[SPACE] = space
        settings = {"NAMESPACES": space.name, "LEADER_ELECTION": "false", "GATEWAY": "true"}
        operator = Operator(kubeconfig=cluster.kubeconfig, folder=tmp_path, settings=settings)
        space.logs.append(operator.log)
        try:
            operator.start()
            yield space
        finally:
            operator.kill()
            space.remove()


def child(space: Namespace, version: str, kind: str) -> Object:
    """The deployment's child of that kind as soon as the operator has made it."""
    api = space.api
    look = lambda: api.find(version, kind, "reviews-serve", space.name)  # noqa: E731
    return until(look, f"{kind} reviews-serve")


def refused(api: Api, body: Object, **spec: object) -> int:
    """The server's code for a child with other fields."""
    meta = {"name": "bent", "namespace": body["metadata"]["namespace"]}
    bent = {key: body[key] for key in ("apiVersion", "kind")}
    with pytest.raises(RefusedError) as error:
        api.create(bent | {"metadata": meta, "spec": body["spec"] | spec})
    return error.value.status


def test_the_server_takes_what_is_written_in_the_types_of_others(space: Namespace):
    gateway = {"name": "public", "namespace": "edge", "hostnames": ["a.example"], "path": "/r"}
    served = apply(
        space,
        serve(
            "reviews",
            model={"from": {"uri": "/graft/store/artefacts/none"}},
            podTemplate=NOWHERE,
            gateway=gateway,
        ),
    )
    a_route_by_weights(space, served)


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
        assert [port["port"] for port in ports] == [each["port"] for each in rule["backendRefs"]][
            :1
        ]
    bent = rule | {"backendRefs": [rule["backendRefs"][0] | {"weight": -1}]}
    assert refused(space.api, made, rules=[bent]) == 422
    served.until(lambda s: served.condition("Routed"), "the word about the route")
    assert served.condition("Routed")["reason"] == "Pending"  # nobody is there to take it
