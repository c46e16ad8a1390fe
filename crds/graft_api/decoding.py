"""A job file to a value, or every mistake in it at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from . import overrides as overriding
from . import wording, yamltree
from .faults import DecodeError, Fault, dotted
from .kinds import KINDS, model_of
from .vocabulary import API_VERSION
from .yamltree import Tree

if TYPE_CHECKING:
    from .kinds import Job

__all__ = ["DecodeError", "Fault", "decode", "decode_json", "locate"]


def decode(text: str | bytes, *, overrides: Sequence[str] = ()) -> Job:
    """The job that the YAML describes, defaults filled in.

    `overrides` are `path=value` pairs set over the file's values, the value read as YAML.

    Raises:
        DecodeError: with every mistake of the file and of the overrides.
    """
    tree = yamltree.read(text if isinstance(text, str) else _text(text))
    overriding.apply(tree, overrides)
    return _build(tree, json.dumps(tree.data))


def decode_json(data: bytes | str) -> Job:
    """The job in canonical JSON, as a Plan carries it and as the API server sends it.

    Raises:
        DecodeError: with every mistake; JSON has no lines, so they name fields only.
    """
    try:
        plain = json.loads(data)
    except ValueError as error:
        raise DecodeError([Fault(path="", line=0, message=f"not valid JSON: {error}")]) from None
    if not isinstance(plain, dict):
        raise DecodeError([Fault(path="", line=0, message="expected a mapping")])
    return _build(Tree(data=plain), data)


def locate(error: DecodeError, text: str) -> DecodeError:
    """The same faults with the lines of the file that they speak of."""
    lines = {dotted(path): line for path, line in yamltree.read(text).lines.items()}
    return DecodeError(
        Fault(
            path=fault.path,
            line=fault.line or _line(fault.path, lines),
            message=fault.message,
            override=fault.override,
        )
        for fault in error.faults
    )


def _line(path: str, lines: dict[str, int]) -> int:
    while path and path not in lines:
        path = path.rpartition(".")[0]
    return lines.get(path, 0)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"byte {data[error.start]:#04x} is not UTF-8: save the file as UTF-8"
        raise DecodeError([Fault(path="", line=line, message=message)]) from None


def _build(tree: Tree, data: str | bytes) -> Job:
    faults = tree.faults + _identity_faults(tree)
    model = _model(tree.data)
    if model is None:
        raise DecodeError(faults)
    try:
        job: Job = model.model_validate_json(data, by_alias=True, by_name=False)
    except ValidationError as error:
        details = error.errors(include_url=False)
        found = wording.faults_of(details, tree, model)
        faults += [fault for fault in found if fault.path not in ("apiVersion", "kind")]
        raise DecodeError(faults) from None
    if faults:
        raise DecodeError(faults)
    return job


def _model(data: dict[str, Any]) -> type[Job] | None:
    kind = data.get("kind")
    return model_of(kind) if isinstance(kind, str) and kind in KINDS else None


def _identity_faults(tree: Tree) -> list[Fault]:
    known = {"apiVersion": [API_VERSION], "kind": list(KINDS)}
    return [fault for name, choices in known.items() for fault in _word(tree, name, choices)]


def _word(tree: Tree, name: str, choices: list[str]) -> list[Fault]:
    found = tree.data.get(name)
    if found is None:
        return [tree.fault((name,), f"is required: {' or '.join(choices)}")]
    if found not in choices:
        return [tree.fault((name,), wording.not_one_of(found, choices))]
    return []
