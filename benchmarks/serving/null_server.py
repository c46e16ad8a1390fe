"""`graft serve` with an engine that computes nothing: what the rest of a request costs.

`python -m benchmarks.serving.null_server ARTEFACT PORT [--http]`. With `--http` a request is
routed, read within the limits, checked and answered by the server's own code, and neither tokenised
nor queued: as much as a framework does of it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from graft_worker.serve import asgi, embeddings, fields, listening, loading, routes
from graft_worker.serve.app import Application
from graft_worker.serve.asgi import Receive, Scope, Send
from graft_worker.serve.engines import Answers
from graft_worker.serve.examples import Example
from graft_worker.serve.loading import Served
from graft_worker.serve.results import results
from graft_worker.serve.service import Service
from graft_worker.serve.settings import Settings


class NullEngine:
    """The same vector for every example."""

    name, dtype = "null", "fp32"

    def __init__(self, *, outputs: int, width: int) -> None:
        self._logits = np.zeros(outputs, np.float32)
        self._vector = np.random.default_rng(0).standard_normal(width).astype(np.float32)

    def compute(self, examples: Sequence[Example]) -> Answers:
        """As many as there are examples."""
        count = (len(examples), 1)
        return Answers(logits=np.tile(self._logits, count), vectors=np.tile(self._vector, count))


class HttpAlone:
    """The application without what stands between a request and the engine."""

    def __init__(self, served: Served, settings: Settings) -> None:
        self._served, self._limits = served, settings.limits
        examples = served.reader.read([("a text",)])
        found = results(served, examples, served.engine.compute(examples))
        self._results = [each for each in found if each is not None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request for a vector."""
        assert routes.find(scope["method"], scope["path"]).endpoint == "/v1/embeddings"
        body = fields.parsed(await asgi.read_json(scope, receive, self._limits))
        wish = embeddings.read(body, self._served, most=self._limits.max_queue)
        told = embeddings.write(self._results, self._served, form=wish.form)
        await asgi.write(send, asgi.json_reply(told), close=False)


async def _serve(artefact: Path, port: int, *, http: bool) -> None:
    settings = Settings(artefact=artefact, name="served", port=port)
    loaded = loading.load(settings)
    engine = NullEngine(outputs=len(loaded.artefact.labels), width=loaded.vector_size)
    served = replace(loaded, engine=engine)
    with ThreadPoolExecutor(1) as thread:
        service = Service(settings, thread=thread, clock=time.monotonic)
        service.opens(served)
        application = HttpAlone(served, settings) if http else Application(service)
        server = listening.server(application, address=("127.0.0.1", port), limits=settings.limits)
        await asyncio.gather(service.batcher.run(served), server.serve())


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), http="--http" in sys.argv))
