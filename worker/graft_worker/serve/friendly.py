"""POST /v1/predict: texts or pairs in, labels and probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graft_worker.serve.fields import Texts, kind, listed, only, strings
from graft_worker.serve.loading import Served
from graft_worker.serve.refusals import wrong
from graft_worker.serve.results import Result, labelled


def read(body: dict[str, Any], served: Served, *, most: int) -> Texts:
    """The texts of `texts`, or those of `pairs`.

    Raises:
        Refusal: 422, with the path of the field at fault.
    """
    only(body, ("texts", "pairs"))
    if ("texts" in body) == ("pairs" in body):
        raise wrong("texts", "expected either texts or pairs")
    if "texts" in body:
        if served.reader.least > 1:
            raise wrong("texts", "this model judges pairs of texts: send pairs")
        return tuple((text,) for text in strings(body["texts"], at="texts", most=most))
    if served.reader.most < 2:
        raise wrong("pairs", "this model judges single texts: send texts")
    pairs = listed(body["pairs"], at="pairs", most=most)
    return tuple(_pair(pair, f"pairs[{place}]") for place, pair in enumerate(pairs))


def write(results: Sequence[Result], served: Served) -> dict[str, Any]:
    """The answer, one prediction for each text in their order."""
    return {
        "model": served.name,
        "version": served.version,
        "predictions": [_prediction(each, served) | {"truncated": each.cut} for each in results],
    }


def _pair(value: Any, at: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) != 2:
        found = f"{len(value)} entries" if isinstance(value, list) else kind(value)
        raise wrong(at, f"expected two texts, found {found}")
    return tuple(strings(value, at=at, most=2))


def _prediction(result: Result, served: Served) -> dict[str, Any]:
    if served.artefact.problem == "regression":
        return {"value": result.prediction}
    name = "labels" if served.artefact.problem == "multi_label" else "label"
    probabilities = labelled(served.artefact.labels, result.scores)
    return {name: result.prediction, "probabilities": probabilities}
