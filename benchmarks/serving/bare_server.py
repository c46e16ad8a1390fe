"""The least that a server of this kind costs: `python -m benchmarks.serving.bare_server PORT`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import numpy as np
import orjson

from graft_worker.serve import listening
from graft_worker.serve.settings import Limits

VECTOR = np.random.default_rng(0).standard_normal(384).astype(np.float32)
BODY = orjson.dumps({"embedding": VECTOR}, option=orjson.OPT_SERIALIZE_NUMPY)
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def application(_scope: Any, receive: Any, send: Any) -> None:
    """Reads a body and sends the same bytes to everybody."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def _serve(port: int) -> None:
    await listening.server(application, address=("127.0.0.1", port), limits=Limits()).serve()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
