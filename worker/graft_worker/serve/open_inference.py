"""The Open Inference Protocol, version 2, over REST: tensors in, tensors out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graft_worker.serve.fields import Texts, kind, listed, strings
from graft_worker.serve.loading import Served
from graft_worker.serve.refusals import wrong
from graft_worker.serve.results import Result

NAMES = ("text", "text_pair")
LABEL, SCORE, VECTOR = "label", "score", "embedding"
ASKED = (LABEL, SCORE)  # where a request names no outputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The texts, and which outputs are told of them."""

    texts: Texts
    outputs: tuple[str, ...]
    id: str | None


def server(version: str) -> dict[str, Any]:
    """What the server is."""
    return {"name": "graft", "version": version, "extensions": []}


def model(served: Served) -> dict[str, Any]:
    """What the model takes and gives; -1 is any number of texts."""
    names = NAMES[: served.reader.most]
    return {
        "name": served.name,
        "versions": [served.version],
        "platform": f"graft_{served.engine.name}",
        "inputs": [{"name": name, "datatype": "BYTES", "shape": [-1]} for name in names],
        "outputs": [
            {"name": name, "datatype": _datatype(name), "shape": [-1, *_rest(name, served)]}
            for name in outputs(served)
        ],
    }


def read(body: dict[str, Any], served: Served, *, most: int) -> Wish:
    """What is asked for.

    Raises:
        Refusal: 422, with the path of the field at fault.
    """
    identity = body.get("id")
    if identity is not None and not isinstance(identity, str):
        raise wrong("id", f"expected a text, found {kind(identity)}")
    columns = _columns(body.get("inputs"), served, most)
    return Wish(
        texts=tuple(zip(*columns, strict=True)),
        outputs=_asked(body.get("outputs"), served),
        id=identity,
    )


def write(results: Sequence[Result], served: Served, wish: Wish) -> dict[str, Any]:
    """The tensors asked for; `parameters.truncated` counts texts that were cut."""
    answer: dict[str, Any] = {
        "model_name": served.name,
        "model_version": served.version,
        "parameters": {"truncated": sum(each.cut for each in results)},
        "outputs": [
            {
                "name": name,
                "datatype": _datatype(name),
                "shape": [len(results), *_rest(name, served)],
                "data": [value for each in results for value in _values(each, name)],
            }
            for name in wish.outputs
        ],
    }
    return answer | ({} if wish.id is None else {"id": wish.id})


def _columns(value: Any, served: Served, most: int) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    known = NAMES[: served.reader.most]
    for place, tensor in enumerate(listed(value, at="inputs", most=len(NAMES))):
        name, texts = _tensor(tensor, f"inputs[{place}]", known, most)
        if name in found:
            raise wrong(f"inputs[{place}].name", f"{name} is there twice")
        found[name] = texts
    for name in NAMES[: max(served.reader.least, len(found))]:
        if name not in found:
            raise wrong("inputs", f"{name} is missing")
    lengths = {len(texts) for texts in found.values()}
    if len(lengths) > 1:
        raise wrong("inputs", "text and text_pair are of unlike lengths")
    return [found[name] for name in NAMES if name in found]


def _tensor(tensor: Any, at: str, known: Sequence[str], most: int) -> tuple[str, list[str]]:
    if not isinstance(tensor, dict):
        raise wrong(at, f"expected an object, found {kind(tensor)}")
    name = tensor.get("name")
    if not isinstance(name, str) or name not in known:
        raise wrong(f"{at}.name", f"expected {' or '.join(known)}, found {name!r:.60}")
    if tensor.get("datatype") != "BYTES":
        raise wrong(f"{at}.datatype", f"expected BYTES, found {tensor.get('datatype')!r:.60}")
    return name, _data(tensor, at, most)


def _data(tensor: dict[str, Any], at: str, most: int) -> list[str]:
    data = listed(tensor.get("data"), at=f"{at}.data", most=most)
    if all(isinstance(row, list) and len(row) == 1 for row in data):  # of shape [n, 1]
        data = [row[0] for row in data]
    texts = strings(data, at=f"{at}.data", most=most)
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise wrong(f"{at}.shape", "expected a list of whole numbers")
    if shape not in ([len(texts)], [len(texts), 1]):
        raise wrong(f"{at}.shape", f"{shape!s:.60} is not [{len(texts)}], the number of texts")
    return texts


def _asked(value: Any, served: Served) -> tuple[str, ...]:
    known = outputs(served)
    if not value:
        return tuple(name for name in ASKED if name in known)
    names: list[str] = []
    for place, output in enumerate(listed(value, at="outputs", most=len(known))):
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str) or name not in known:
            raise wrong(f"outputs[{place}].name", f"expected one of {', '.join(known)}")
        names.append(name)
    return tuple(names)


def outputs(served: Served) -> tuple[str, ...]:
    """The names of the tensors that may be asked for."""
    regression = served.artefact.problem == "regression"
    return (SCORE, VECTOR) if regression else (LABEL, SCORE, VECTOR)


def _datatype(name: str) -> str:
    return "BYTES" if name == LABEL else "FP32"


def _rest(name: str, served: Served) -> list[int]:
    """The shape of one text's values."""
    if name == VECTOR:
        return [served.vector_size]
    return [] if name == LABEL else [max(1, len(served.artefact.labels))]


def _values(result: Result, name: str) -> list[Any]:
    if name == VECTOR:
        return list(result.vector.tolist())
    if name == SCORE:
        return result.scores
    told = result.prediction
    return [",".join(told) if isinstance(told, list) else told]
