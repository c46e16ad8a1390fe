"""Clients that cost next to nothing: bare HTTP/1.1 over connections that stay open."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
TYPE = "content-type: application/json"


@dataclass(slots=True, kw_only=True)
class Load:
    """What came back to a crowd of clients."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)  # of requests that were answered
    refused: list[float] = field(default_factory=list)  # of others
    codes: dict[int, int] = field(default_factory=dict)

    def note(self, status: int, seconds: float) -> None:
        """One more answer."""
        self.codes[status] = self.codes.get(status, 0) + 1
        (self.latencies if status == 200 else self.refused).append(seconds)


def request(path: str, body: bytes) -> bytes:
    """A POST as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\n{TYPE}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def ask(port: int, sent: bytes) -> tuple[int, bytes]:
    """Status and body of one request."""

    async def one() -> tuple[int, bytes]:
        async with asyncio.timeout(60):
            return await Client(port).ask(sent)

    return asyncio.run(one())


def closed(port: int, requests: Sequence[Sequence[bytes]]) -> Load:
    """As many clients as there are lists; each sends its next request when the last is answered."""
    return asyncio.run(_closed(port, requests))


async def _closed(port: int, requests: Sequence[Sequence[bytes]]) -> Load:
    load, clients = Load(), [Client(port) for _ in requests]
    await asyncio.gather(*(client.connect() for client in clients))

    async def work(client: Client, mine: Sequence[bytes]) -> None:
        for sent in mine:
            began = time.perf_counter()
            status, _ = await client.ask(sent)
            load.note(status, time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(work(c, mine) for c, mine in zip(clients, requests, strict=True)))
    load.seconds = time.perf_counter() - began
    for client in clients:
        client.close()
    return load


class Client:
    """One connection, opened anew where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self) -> None:
        """Opens it."""
        self._streams = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Status and body of the answer.

        A server may close a connection that idles; as HTTP clients do, who finds it so asks again.
        """
        if self._streams is not None:
            try:
                return await self._ask(sent)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                self.close()
                if getattr(error, "partial", b""):
                    raise
        await self.connect()
        return await self._ask(sent)

    async def _ask(self, sent: bytes) -> tuple[int, bytes]:
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        assert length, head
        body = await reader.readexactly(int(length[1]))
        if b"connection: close" in head.lower():
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        """Closes it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
