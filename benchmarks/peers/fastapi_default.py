"""FastAPI with sentence-transformers, a text a request, as tutorials have it."""

from __future__ import annotations

import os
from typing import Any

from pydantic import BaseModel


class Query(BaseModel):
    """A request."""

    inputs: str


class Answer(BaseModel):
    """Its answer."""

    embedding: list[float]


def application() -> Any:
    """The application; GRAFT_PEER_MODEL is the artefact's folder."""
    from fastapi import FastAPI

    from benchmarks.peers import sentences

    told = os.environ
    length = int(told["GRAFT_PEER_LENGTH"])
    model = sentences.model(told["GRAFT_PEER_MODEL"], max_length=length, dtype="float32")

    def embed(query: Query) -> Answer:
        return Answer(embedding=model.encode([query.inputs])[0].tolist())

    app = FastAPI()
    app.add_api_route("/embed", embed, methods=["POST"], response_model=Answer)
    return app
