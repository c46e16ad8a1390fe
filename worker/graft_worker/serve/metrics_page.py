"""GET /metrics, on a port of its own that no service of predictions shows to the world."""

from __future__ import annotations

from graft_worker.serve import asgi
from graft_worker.serve.asgi import Receive, Reply, Scope, Send
from graft_worker.serve.meter import CONTENT_TYPE
from graft_worker.serve.service import Service

_NOT_FOUND = Reply(body=b"not found\n", status=404, content_type="text/plain")


class MetricsPage:
    """An ASGI application of one page."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """The series as they are now."""
        reply = self._metrics() if scope.get("path") == "/metrics" else _NOT_FOUND
        await asgi.write(send, reply, close=False)

    def _metrics(self) -> Reply:
        self._service.refresh()
        return Reply(body=self._service.meter.text(), content_type=CONTENT_TYPE)
