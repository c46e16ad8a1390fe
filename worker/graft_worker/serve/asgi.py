"""Requests and answers as ASGI has them: bodies with a limit, JSON out, clients that go away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson

from graft_worker.serve.refusals import ClientGone, Refusal
from graft_worker.serve.settings import Limits

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer."""

    body: bytes
    status: int = HTTPStatus.OK
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(
    value: Any, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Reply:
    """A value as JSON; arrays are lists."""
    body = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    return Reply(body=body, status=status, headers=headers or {})


def header(scope: Scope, name: str) -> str | None:
    """The value of a header; the last, where it is there several times."""
    found = None
    for key, value in scope["headers"]:
        if key.lower() == name.encode():
            found = value.decode("latin-1")
    return found


def declared(scope: Scope, limits: Limits) -> int:
    """Bytes of the body as its sender tells; who does not tell may send as many as anybody may."""
    length = header(scope, "content-length") or ""
    return int(length) if length.isdigit() else limits.body


async def read_json(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The body of a request that says it is JSON.

    Raises:
        Refusal: 415 another type; 413 too long, before all of it is read; 408 too slow.
        ClientGone: the client gave up.
    """
    told = (header(scope, "content-type") or JSON).partition(";")[0].strip().lower()
    if told != JSON:
        raise Refusal(415, f"content-type {told!r:.80}: expected {JSON}", code="content_type")
    if declared(scope, limits) > limits.body:
        raise _too_long(limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _read(receive, limits)
    except TimeoutError:
        raise Refusal(408, f"no whole body within {limits.body_seconds:g} s") from None


async def gone(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def write(send: Send, reply: Reply, *, close: bool) -> None:
    """Sends the answer; `close`: and asks the client to come back by another connection."""
    headers = {
        "content-type": reply.content_type,
        "content-length": str(len(reply.body)),
        **reply.headers,
        **({"connection": "close"} if close else {}),
    }
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(reply.status), "headers": pairs})
    await send({"type": "http.response.body", "body": reply.body})


async def _read(receive: Receive, limits: Limits) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limits.body:
            raise _too_long(limits)
        if not message.get("more_body"):
            return b"".join(parts)


def _too_long(limits: Limits) -> Refusal:
    return Refusal(413, f"the body is over {limits.body:,} bytes", code="too_large")
