"""From a path to what is asked there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graft_worker.serve.refusals import Refusal

PREDICTIONS = ("/v1/predict", "/v1/embeddings", "/v2/models/{model}/infer")
OTHER = "other"  # paths that nobody knows are one endpoint in metrics

_FIXED: Mapping[str, str] = {  # path: method
    "/openapi.json": "GET",
    "/v2": "GET",
    "/v2/health/live": "GET",
    "/v2/health/ready": "GET",
    "/v1/models": "GET",
    "/v1/predict": "POST",
    "/v1/embeddings": "POST",
}
_MODEL: Mapping[str, str] = {  # what follows a model's name, or its version: method
    "": "GET",
    "/ready": "GET",
    "/infer": "POST",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What is asked: the endpoint as metrics have it, and which model the path names."""

    endpoint: str
    model: str | None = None
    version: str | None = None


def find(method: str, path: str) -> Route:
    """The route of a request.

    Raises:
        Refusal: 404, there is no such path; 405, it takes another method.
    """
    route, wanted = _find(path.rstrip("/") or "/")
    if method != wanted and not (method == "HEAD" and wanted == "GET"):
        raise Refusal(405, f"{method:.20} {path:.80}: only {wanted}", code="method_not_allowed")
    return route


def of_inference_protocol(path: str) -> bool:
    """Whether errors at this path have the form of the Open Inference Protocol."""
    return path == "/v2" or path.startswith("/v2/")


def _find(path: str) -> tuple[Route, str]:
    if path in _FIXED:
        return Route(endpoint=path), _FIXED[path]
    words = path.split("/")[1:]
    if len(words) > 2 and words[:2] == ["v2", "models"]:
        name, rest = words[2], words[3:]
        version = rest[1] if len(rest) > 1 and rest[0] == "versions" else None
        tail = "".join(f"/{word}" for word in (rest[2:] if version else rest))
        if tail in _MODEL:
            endpoint = f"/v2/models/{{model}}{tail}"
            return Route(endpoint=endpoint, model=name, version=version), _MODEL[tail]
    raise Refusal(404, f"{path:.80}: there is nothing here", code="not_found")
