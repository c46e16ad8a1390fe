"""The same with orjson for the answer, which pydantic then does not check."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.fastapi_default import Query
from benchmarks.peers.null_default import WIDTH


def application() -> Any:
    """The application."""
    import numpy as np
    import orjson
    from fastapi import FastAPI, Response

    vector = np.random.default_rng(0).standard_normal(WIDTH).astype(np.float32)

    async def embed(query: Query) -> Response:
        assert query.inputs
        body = orjson.dumps({"embedding": vector}, option=orjson.OPT_SERIALIZE_NUMPY)
        return Response(body, media_type="application/json")

    app = FastAPI()
    app.add_api_route("/embed", embed, methods=["POST"], response_model=None)
    return app
