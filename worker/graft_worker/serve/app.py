"""The application: every request gets an answer, and every error the code and form it should."""

from __future__ import annotations

import logging
import uuid

from graft_worker.serve import asgi, routes
from graft_worker.serve.asgi import Receive, Reply, Scope, Send
from graft_worker.serve.endpoints import answer
from graft_worker.serve.refusals import ClientGone, Refusal
from graft_worker.serve.service import Service

GONE = 499  # as others count it; nobody sees it
REASONS = {408: "deadline", 413: "too_large", 504: "deadline"}

log = logging.getLogger(__name__)


class Application:
    """An ASGI application without frameworks: their checks cost more than a small model."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return
        start = self._service.clock()
        endpoint, reply = await self._reply(scope, receive)
        status = reply.status if reply else GONE
        self._service.meter.request(endpoint, status)
        if endpoint in routes.PREDICTIONS:  # probes would make the latencies look short
            self._service.meter.step("request", self._service.clock() - start)
        if reply is not None:
            unread = status in (408, 413, 415)
            await asgi.write(send, reply, close=unread or self._service.closed)

    async def _reply(self, scope: Scope, receive: Receive) -> tuple[str, Reply | None]:
        endpoint = routes.OTHER
        try:
            route = routes.find(scope["method"], scope["path"])
            endpoint = route.endpoint
            return endpoint, await answer(self._service, route, scope, receive)
        except ClientGone:
            return endpoint, None
        except Refusal as refusal:
            self._count(refusal)
            return endpoint, _refused(refusal, scope["path"])
        except Exception:
            number = uuid.uuid4().hex[:12]
            log.exception("error %s at %s", number, endpoint)
            bug = Refusal(500, f"an error of the server; its log knows it as {number}")
            return endpoint, _refused(bug, scope["path"])

    def _count(self, refusal: Refusal) -> None:
        reason = REASONS.get(refusal.status, refusal.code)
        if refusal.status in (408, 413, 503, 504):
            self._service.meter.rejected(reason)


def _refused(refusal: Refusal, path: str) -> Reply:
    headers = {} if refusal.retry_after is None else {"retry-after": str(refusal.retry_after)}
    if routes.of_inference_protocol(path):
        return asgi.json_reply({"error": refusal.message}, status=refusal.status, headers=headers)
    error = {
        "type": "server_error" if refusal.status >= 500 else "invalid_request_error",
        "code": refusal.code,
        "message": refusal.message,
        "param": refusal.param,
    }
    return asgi.json_reply({"error": error}, status=refusal.status, headers=headers)
