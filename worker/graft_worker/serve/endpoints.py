"""What each path answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from graft_worker.serve import embeddings, friendly, open_inference, openapi
from graft_worker.serve.asgi import Receive, Reply, Scope, declared, json_reply
from graft_worker.serve.calls import Call
from graft_worker.serve.loading import Served
from graft_worker.serve.refusals import Refusal
from graft_worker.serve.results import Result
from graft_worker.serve.routes import Route
from graft_worker.serve.service import Service

GRAFT = version("graft-operator")
RETRY = {"retry-after": "1"}


async def answer(service: Service, route: Route, scope: Scope, receive: Receive) -> Reply:
    """The answer to a request.

    Raises:
        Refusal: it gets none, and why.
        ClientGone: nobody waits for it.
    """
    if route.endpoint in _STATES:
        return _STATES[route.endpoint](service)
    served = service.served()
    _check_named(route, served)
    if route.endpoint in _FACTS:
        return json_reply(_FACTS[route.endpoint](served))
    service.batcher.check_room()
    limits = service.settings.limits
    with service.request(min(declared(scope, limits), limits.body)):
        return await _ASKED[route.endpoint](Call(service, served, scope, receive))


def _check_named(route: Route, served: Served) -> None:
    if route.model not in (None, served.name):
        raise Refusal(404, f"model {route.model:.80}: not here; this server has {served.name}")
    if route.version not in (None, served.version):
        raise Refusal(404, f"version {route.version:.80}: not here; there is {served.version}")


def _server(_service: Service) -> Reply:
    return json_reply(open_inference.server(GRAFT))


def _live(service: Service) -> Reply:
    stalled = service.batcher.stalled()
    return json_reply({"live": not stalled}, status=503 if stalled else 200)


def _ready(service: Service) -> Reply:
    if why := service.why_not_ready:
        told = {"ready": False, "broken": service.broken, "error": why}
        return json_reply(told, status=503, headers=RETRY)
    return json_reply({"ready": True})


async def _predict(call: Call) -> Reply:
    texts = friendly.read(await call.body(), call.served, most=call.most)
    found = await call.results(texts)
    return json_reply(friendly.write(found, call.served), headers=_truncated(found))


async def _embed(call: Call) -> Reply:
    wish = embeddings.read(await call.body(), call.served, most=call.most)
    found = await call.results(wish.texts)
    return json_reply(
        embeddings.write(found, call.served, form=wish.form), headers=_truncated(found)
    )


async def _infer(call: Call) -> Reply:
    wish = open_inference.read(await call.body(), call.served, most=call.most)
    found = await call.results(wish.texts)
    return json_reply(open_inference.write(found, call.served, wish), headers=_truncated(found))


def _truncated(found: Sequence[Result]) -> dict[str, str]:
    """A header where texts were longer than the model reads."""
    cut = sum(each.cut for each in found)
    return {"x-graft-truncated": str(cut)} if cut else {}


_STATES: Mapping[str, Callable[[Service], Reply]] = {  # answered before there is a model
    "/v2": _server,
    "/v2/health/live": _live,
    "/v2/health/ready": _ready,
}
_FACTS: Mapping[str, Callable[[Served], dict[str, Any]]] = {
    "/openapi.json": openapi.document,
    "/v1/models": embeddings.models,
    "/v2/models/{model}": open_inference.model,
    "/v2/models/{model}/ready": lambda served: {"name": served.name, "ready": True},
}
_ASKED: Mapping[str, Callable[[Call], Awaitable[Reply]]] = {
    "/v1/predict": _predict,
    "/v1/embeddings": _embed,
    "/v2/models/{model}/infer": _infer,
}
