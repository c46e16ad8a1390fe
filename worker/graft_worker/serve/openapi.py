"""What the server takes and gives, as OpenAPI 3.1 describes it: GET /openapi.json."""

from __future__ import annotations

from typing import Any

from graft_worker.serve import embeddings, open_inference
from graft_worker.serve.loading import Served

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_YES: Schema = {"type": "boolean"}
_REFUSED = {  # of a request with a body
    "400": "not JSON, or a header that cannot be used",
    "404": "another model",
    "408": "the body did not come in time",
    "413": "too long",
    "415": "not said to be JSON",
    "422": "a field cannot be used",
    "503": "not now; Retry-After says when",
    "504": "not in time",
}


def document(served: Served) -> Schema:
    """The description of the server that has this model."""
    model = f"/v2/models/{served.name}"
    places = (model, f"{model}/versions/{served.version}")
    paths: Schema = {
        "/v1/predict": _post(_texts(served), _predictions(served), error=_error()),
        "/v1/models": _get(_list_of(_object({"id": _TEXT, "object": {"const": "model"}}))),
        "/v2": _get(_object({"name": _TEXT, "version": _TEXT, "extensions": _list(_TEXT)})),
        "/v2/health/live": _get(_object({"live": _YES})),
        "/v2/health/ready": _get(_object({"ready": _YES})),
    }
    if served.reader.least == 1:
        paths["/v1/embeddings"] = _post(_inputs(served), _vectors(), error=_error())
    for place in places:
        paths[place] = _get(_metadata())
        paths[f"{place}/ready"] = _get(_object({"name": _TEXT, "ready": _YES}))
        paths[f"{place}/infer"] = _post(
            _tensors(served), _tensors_told(), error=_object({"error": _TEXT})
        )
    about = {"title": f"graft serve {served.name}", "version": served.version}
    return {"openapi": "3.1.0", "info": about, "paths": paths}


def _texts(served: Served) -> Schema:
    kinds = []
    if served.reader.least == 1:
        kinds.append(_object({"texts": _list(_TEXT, least=1)}, more=False))
    if served.reader.most > 1:
        pair = _list(_TEXT, least=2) | {"maxItems": 2}
        kinds.append(_object({"pairs": _list(pair, least=1)}, more=False))
    return kinds[0] if len(kinds) == 1 else {"oneOf": kinds}


def _predictions(served: Served) -> Schema:
    shares = {"type": "object", "additionalProperties": _NUMBER}
    told: Schema = {"label": _TEXT, "probabilities": shares}
    if served.artefact.problem == "regression":
        told = {"value": _NUMBER}
    if served.artefact.problem == "multi_label":
        told = {"labels": _list(_TEXT), "probabilities": shares}
    each = _object(told | {"truncated": _YES})
    return _object({"model": _TEXT, "version": _TEXT, "predictions": _list(each)})


def _inputs(served: Served) -> Schema:
    needed = {
        "input": {"anyOf": [_TEXT, _list(_TEXT, least=1)]},
        "model": {"const": served.name},
    }
    choice = {
        "encoding_format": {"enum": list(embeddings.FORMATS)},
        "dimensions": {"type": "null"},
        "user": _TEXT,
    }
    return _object(needed, choice=choice, more=False)


def _vectors() -> Schema:
    told = {
        "object": {"const": "embedding"},
        "index": _COUNT,
        "embedding": {"anyOf": [_list(_NUMBER), _TEXT]},
    }
    usage = _object({"prompt_tokens": _COUNT, "total_tokens": _COUNT})
    listed = _list_of(_object(told))
    listed["properties"] |= {"model": _TEXT, "usage": usage}
    return listed


def _metadata() -> Schema:
    sizes = _list({"type": "integer"})
    tensor = _object({"name": _TEXT, "datatype": _TEXT, "shape": sizes})
    told = {"name": _TEXT, "versions": _list(_TEXT), "platform": _TEXT}
    return _object(told | {"inputs": _list(tensor), "outputs": _list(tensor)})


def _tensors(served: Served) -> Schema:
    """One text a request: that shape and data fit each other cannot be said for any number."""
    tensors = [
        _object(
            {
                "name": {"const": name},
                "shape": {"const": [1]},
                "datatype": {"const": "BYTES"},
                "data": _list(_TEXT, least=1) | {"maxItems": 1},
            }
        )
        for name in open_inference.NAMES[: served.reader.least]
    ]
    count = len(tensors)
    inputs = {"type": "array", "prefixItems": tensors, "minItems": count, "maxItems": count}
    names = {"enum": list(open_inference.outputs(served))}
    return _object(
        {"inputs": inputs},
        choice={"id": _TEXT, "outputs": _list(_object({"name": names}), least=1) | {"maxItems": 2}},
    )


def _tensors_told() -> Schema:
    data = _list({"anyOf": [_NUMBER, _TEXT]})
    tensor = _object({"name": _TEXT, "datatype": _TEXT, "shape": _list(_COUNT), "data": data})
    told = {"model_name": _TEXT, "model_version": _TEXT, "outputs": _list(tensor)}
    return _object(told, choice={"id": _TEXT})


def _error() -> Schema:
    param = {"type": ["string", "null"]}
    return _object(
        {"error": _object({"type": _TEXT, "code": _TEXT, "message": _TEXT, "param": param})}
    )


def _get(told: Schema) -> Schema:
    return {"get": {"responses": {"200": _body(told) | {"description": "as it is"}}}}


def _post(asked: Schema, told: Schema, *, error: Schema) -> Schema:
    refused = {code: _body(error) | {"description": why} for code, why in _REFUSED.items()}
    responses = {"200": _body(told) | {"description": "the answer"}} | refused
    return {"post": {"requestBody": _body(asked) | {"required": True}, "responses": responses}}


def _body(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _object(needed: Schema, *, choice: Schema | None = None, more: bool = True) -> Schema:
    return {
        "type": "object",
        "properties": needed | (choice or {}),
        "required": list(needed),
        **({} if more else {"additionalProperties": False}),
    }


def _list(items: Schema, *, least: int = 0) -> Schema:
    return {"type": "array", "items": items, **({"minItems": least} if least else {})}


def _list_of(items: Schema) -> Schema:
    """OpenAI's form of a list."""
    return _object({"object": {"const": "list"}, "data": _list(items)})
