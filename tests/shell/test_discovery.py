"""What the operator asks an API server about APIs that are not Kubernetes' own, and how often."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from graft_operator.cluster import routes, scalers
from graft_operator.cluster.discovery import KEPT_SECONDS, Discovery
from graft_operator.cluster.sending import Sender
from graft_operator.observed import Apis, Route
from tests.shell.api_server import connected

ROUTES = "/apis/gateway.networking.k8s.io/v1"
SCALED = "/apis/keda.sh/v1alpha1"
METRICS = "/apis/custom.metrics.k8s.io"


class Server(ThreadingHTTPServer):
    """Answers with what stands in `said` for a path, as code and body; 404 for any other."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.said: dict[str, tuple[int, Any]] = {}
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        code, body = self.server.said.get(self.path, (404, {}))
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what was asked."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@contextmanager
def asking(server: Server, clock: list[float], folder: Any) -> Iterator[Discovery]:
    """A discovery that asks that server; `clock` holds the time."""
    with connected(server.server_port, folder) as connection:
        sender = Sender(connection, per_second=1000, leads=lambda: False)
        yield Discovery(sender, clock=lambda: clock[0])


def resources(*names: str) -> tuple[int, Any]:
    return 200, {"kind": "APIResourceList", "resources": [{"name": name} for name in names]}


def test_a_cluster_without_them_is_asked_once_in_five_minutes(server: Server, tmp_path: Any):
    clock = [0.0]
    with asking(server, clock, tmp_path) as discovery:
        assert discovery.apis() == Apis()
        asked = len(server.asked)
        server.said[ROUTES] = resources("gateways", "httproutes", "httproutes/status")
        clock[0] = KEPT_SECONDS - 1
        assert discovery.apis() == Apis()
        assert len(server.asked) == asked
        clock[0] = KEPT_SECONDS
        assert discovery.apis() == Apis(routes=True)
        assert len(server.asked) == 2 * asked
        server.said |= {
            ROUTES: (404, {}),
            SCALED: resources("scaledobjects"),
            METRICS: (200, {"kind": "APIGroup"}),
        }
        clock[0] = 2 * KEPT_SECONDS
        assert discovery.apis() == Apis(scaled_objects=True, pod_metrics=True)


def test_a_server_that_does_not_say_changes_nothing(server: Server, tmp_path: Any):
    clock = [0.0]
    server.said[ROUTES] = resources("httproutes")
    with asking(server, clock, tmp_path) as discovery:
        assert discovery.apis().routes
        server.said[ROUTES] = (403, {"message": "not for you"})
        clock[0] = KEPT_SECONDS
        assert discovery.apis().routes
        server.said[ROUTES] = resources("gateways")
        clock[0] = 2 * KEPT_SECONDS
        assert not discovery.apis().routes


HERE = {"name": "public", "namespace": "edge"}
GONE = {"name": "before", "namespace": "edge"}


def told(parent: dict[str, str], kind: str, status: str, message: str = "") -> dict[str, Any]:
    return {
        "parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway"} | parent,
        "conditions": [{"type": kind, "status": status, "reason": "Said", "message": message}],
    }


@pytest.mark.parametrize(
    ("parents", "accepted", "message"),
    [
        ([], None, ""),
        ([told(HERE, "Accepted", "True")], True, ""),
        ([told(HERE, "Accepted", "False", "no such name")], False, "no such name"),
        ([told(HERE, "Accepted", "False")], False, "Said"),
        ([told(HERE, "Accepted", "True"), told(HERE, "ResolvedRefs", "False", "x")], False, "x"),
        ([told(GONE, "Accepted", "True")], None, ""),
        ([told(HERE, "Programmed", "True")], None, ""),
    ],
)
def test_a_route_is_read_with_the_words_of_its_controller(
    parents: list[Any], accepted: bool | None, message: str
):
    backends = [{"name": "reviews-serve", "weight": 80}, {"name": "reviews-canary", "weight": 20}]
    spec = {"parentRefs": [HERE], "rules": [{"backendRefs": backends}]}
    found = routes.route({"spec": spec, "status": {"parents": parents}})
    assert found == Route(weight=20, accepted=accepted, message=message)


def test_a_route_without_a_second_backend_gives_the_canary_nothing():
    spec = {"parentRefs": [HERE], "rules": [{"backendRefs": [{"name": "reviews-serve"}]}]}
    assert routes.route({"spec": spec}).weight == 0


def autoscaler(active: str, *measured: str) -> dict[str, Any]:
    said = {"type": "ScalingActive", "status": active, "message": "no metrics yet"}
    status = {"conditions": [said], "currentMetrics": [{"type": kind} for kind in measured]}
    return {"kind": "HorizontalPodAutoscaler", "status": status}


def scaled(ready: str, reason: str = "") -> dict[str, Any]:
    said = {"type": "Ready", "status": ready, "reason": reason, "message": "no such host"}
    return {"kind": "ScaledObject", "status": {"conditions": [said]}}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"kind": "HorizontalPodAutoscaler"}, ""),
        (autoscaler("True", "Resource", "Pods"), ""),
        (autoscaler("True"), ""),
        (autoscaler("False"), "the autoscaler says: no metrics yet"),
        (autoscaler("True", "Resource", ""), "does not tell graft_serve_queue_depth"),
        ({"kind": "ScaledObject"}, ""),
        (scaled("True"), ""),
        (scaled("Unknown"), ""),
        (scaled("Unknown", "PartialTriggerError"), "KEDA says: no such host"),
        (scaled("False"), "KEDA says: no such host"),
    ],
)
def test_an_autoscaler_is_read_with_what_keeps_it_from_the_queue(raw: dict[str, Any], words: str):
    found = scalers.trouble(raw)
    assert words in found
    assert bool(words) == bool(found)
