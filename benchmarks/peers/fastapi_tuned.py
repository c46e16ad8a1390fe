"""The same libraries used well: batches of what has come meanwhile, the faster precision, orjson.

GRAFT_PEER_BATCH is how many texts sentence-transformers pads together; it sorts them by length.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

from benchmarks.peers.fastapi_default import Query

MOST = 32  # texts that are computed together

Vectors = Any  # an array [N, H]


def application() -> Any:
    """The application; GRAFT_PEER_MODEL is the artefact's folder, GRAFT_PEER_DTYPE the format."""
    import orjson
    from fastapi import FastAPI, Response

    batches = _Batches(_encoder())

    async def embed(query: Query) -> Response:
        body = orjson.dumps(
            {"embedding": await batches.vector(query.inputs)}, option=orjson.OPT_SERIALIZE_NUMPY
        )
        return Response(body, media_type="application/json")

    app = FastAPI(lifespan=batches.running)
    app.add_api_route("/embed", embed, methods=["POST"], response_model=None)
    return app


def _encoder() -> Callable[[Sequence[str]], Vectors]:
    from benchmarks.peers import sentences

    told = os.environ
    length, size = int(told["GRAFT_PEER_LENGTH"]), int(told["GRAFT_PEER_BATCH"])
    model = sentences.model(
        told["GRAFT_PEER_MODEL"], max_length=length, dtype=told["GRAFT_PEER_DTYPE"]
    )
    return lambda texts: model.encode(list(texts), batch_size=size, show_progress_bar=False)


class _Batches:
    """One thread computes; what comes meanwhile is its next batch."""

    def __init__(self, encode: Callable[[Sequence[str]], Vectors]) -> None:
        self._encode = encode
        self._queue: asyncio.Queue[tuple[str, asyncio.Future[Any]]] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1)

    async def vector(self, text: str) -> Any:
        """The vector of a text, when its batch is computed."""
        future = asyncio.get_running_loop().create_future()
        await self._queue.put((text, future))
        return await future

    @asynccontextmanager
    async def running(self, _app: Any) -> AsyncIterator[None]:
        """Computes while the application runs."""
        task = asyncio.create_task(self._run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MOST and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            found = await loop.run_in_executor(self._thread, self._encode, [t for t, _ in batch])
            for (_, future), vector in zip(batch, found, strict=True):
                future.set_result(vector)
