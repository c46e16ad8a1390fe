"""FastAPI whose model computes nothing: a pydantic model in, another one out."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.peers.fastapi_default import Answer, Query

WIDTH = 384


def application() -> Any:
    """The application."""
    from fastapi import FastAPI

    draw = random.Random(0)
    vector = [draw.gauss(0, 1) for _ in range(WIDTH)]

    async def embed(query: Query) -> Answer:
        assert query.inputs
        return Answer(embedding=vector)

    app = FastAPI()
    app.add_api_route("/embed", embed, methods=["POST"], response_model=Answer)
    return app
