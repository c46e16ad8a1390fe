"""OpenAI's POST /v1/embeddings and GET /v1/models: the encoder's vector of each text, length 1."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graft_worker.serve.fields import Texts, kind, only, strings
from graft_worker.serve.loading import Served
from graft_worker.serve.refusals import Refusal, wrong
from graft_worker.serve.results import Result

_FIELDS = ("input", "model", "encoding_format", "dimensions", "user")
FORMATS = ("float", "base64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The texts, and the form of their vectors."""

    texts: Texts
    form: str  # float or base64


def read(body: dict[str, Any], served: Served, *, most: int) -> Wish:
    """What is asked for.

    Raises:
        Refusal: 404, the model is another; 422, a field cannot be used; both name it.
    """
    only(body, _FIELDS)
    _check_model(body.get("model"), served)
    form = body.get("encoding_format", "float")
    if form not in FORMATS:
        raise wrong("encoding_format", f"expected one of {', '.join(FORMATS)}")
    if body.get("dimensions") is not None:
        raise wrong("dimensions", "this model's vectors have one size only: leave it out")
    if not isinstance(user := body.get("user", ""), str):
        raise wrong("user", f"expected a text, found {kind(user)}")
    if served.reader.least > 1:
        raise wrong("model", f"{served.name} judges pairs of texts: it has no vector of one text")
    return Wish(texts=tuple((text,) for text in _texts(body.get("input"), most)), form=form)


def write(results: Sequence[Result], served: Served, *, form: str) -> dict[str, Any]:
    """The vectors, in the order of the texts."""
    tokens = sum(each.tokens for each in results)
    return {
        "object": "list",
        "model": served.name,
        "data": [
            {"object": "embedding", "index": place, "embedding": _vector(each, form)}
            for place, each in enumerate(results)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def models(served: Served) -> dict[str, Any]:
    """The models that this server has: one."""
    model = {"id": served.name, "object": "model", "created": 0, "owned_by": "graft"}
    return {"object": "list", "data": [model]}


def _check_model(name: Any, served: Served) -> None:
    if not isinstance(name, str):
        raise wrong("model", f"expected {served.name}, found {kind(name)}")
    if name != served.name:
        raise Refusal(
            404,
            f"model: {name} is not here; this server has {served.name}",
            code="model_not_found",
            param="model",
        )


def _texts(value: Any, most: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and not isinstance(value[0], str):
        raise wrong("input", "expected texts; ids of another tokenizer mean nothing to this model")
    return strings(value, at="input", most=most)


def _vector(result: Result, form: str) -> Any:
    norm = float(np.linalg.norm(result.vector))
    unit = (result.vector / max(norm, 1e-12)).astype("<f4")
    return unit if form == "float" else base64.b64encode(unit.tobytes()).decode()
