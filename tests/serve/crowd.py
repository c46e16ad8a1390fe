"""Many clients at once: every request is on its way before the first answer is read."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """One answer."""

    status: int
    retry_after: int | None
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


def predict_request(*texts: str) -> bytes:
    """A request as it goes over the wire."""
    body = json.dumps({"texts": texts}).encode()
    head = (
        "POST /v1/predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(port: int, clients: int) -> AsyncIterator[list[Client]]:
    """So many connections, closed in the end."""
    found = [await asyncio.open_connection("127.0.0.1", port) for _ in range(clients)]
    try:
        yield found
    finally:
        for _, writer in found:
            writer.close()
        for _, writer in found:
            with suppress(ConnectionError):
                await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> Came:
    """The next answer of a connection; an error where the connection ends before it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = re.search(r"content-length: (\d+)", head)
    assert length, head
    retry = re.search(r"retry-after: (\d+)", head)
    return Came(
        status=int(head.split(" ", 2)[1]),
        retry_after=int(retry[1]) if retry else None,
        body=await reader.readexactly(int(length[1])),
    )


async def at_once(clients: list[Client], request: bytes) -> list[Came]:
    """The answers to one request of each client."""
    for _, writer in clients:
        writer.write(request)
    return await asyncio.gather(*(answer(reader) for reader, _ in clients))
