"""/healthz, /readyz and /metrics of the operator."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from graft_operator import metrics
from graft_operator.settings import Settings
from graft_operator.shell.state import State


def serve(state: State, settings: Settings) -> ThreadingHTTPServer:
    """A server that answers in threads of its own; a standby is alive, but not ready."""
    server = ThreadingHTTPServer((settings.health_host, settings.health_port), _handler(state))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


def _handler(state: State) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                _measure(state)
                self._answer(HTTPStatus.OK, generate_latest(metrics.REGISTRY), CONTENT_TYPE_LATEST)
            elif path == "/healthz":
                self._answer(HTTPStatus.OK, b"ok\n", "text/plain")
            elif path == "/readyz":
                self._answer(*_ready(state), "text/plain")
            else:
                self._answer(
                    HTTPStatus.NOT_FOUND, b"see /healthz, /readyz, /metrics\n", "text/plain"
                )

        def _answer(self, code: HTTPStatus, body: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Probes and scrapes are not worth a line."""

    return Handler


def _ready(state: State) -> tuple[HTTPStatus, bytes]:
    """Whether this replica leads and knows what there is."""
    if not state.leads(time.monotonic()):
        return HTTPStatus.SERVICE_UNAVAILABLE, b"not leading\n"
    if not state.listed:
        return HTTPStatus.SERVICE_UNAVAILABLE, b"listing\n"
    return HTTPStatus.OK, b"ok\n"


MOST_INFO = 1000


def _measure(state: State) -> None:
    """Gauges that are read from the state when somebody asks."""
    measured = (metrics.QUEUE_DEPTH, metrics.QUEUE_OLDEST, metrics.DEADLINES, metrics.JOBS)
    for gauge in (*measured, metrics.ROLLOUT_STATE):
        gauge.clear()
    for kind, (count, oldest) in state.queue.depth().items():
        metrics.QUEUE_DEPTH.labels(kind).set(count)
        metrics.QUEUE_OLDEST.labels(kind).set(oldest)
    for kind, count in state.alarm.pending().items():
        metrics.DEADLINES.labels(kind).set(count)
    metrics.PROGRESS_AGE.set(state.cache.oldest_report())
    metrics.JOB_INFO.clear()
    named = 0
    for subject in state.cache.subjects():
        if subject.kind == "ServeDeployment":
            rolled = (subject.status.get("rollout") or {}).get("state") or "Preparing"
            metrics.ROLLOUT_STATE.labels(subject.namespace, rolled).inc()
            continue
        phase = subject.status.get("phase") or "Pending"
        metrics.JOBS.labels(subject.kind, subject.namespace, phase).inc()
        if phase not in ("Complete", "Failed") and named < MOST_INFO:
            method = (subject.spec.get("method") or {}).get("name") or ""
            model = (subject.status.get("display") or {}).get("base") or ""
            labels = (subject.kind, subject.namespace, subject.name, method, model)
            metrics.JOB_INFO.labels(*labels).set(1)
            named += 1
