"""pydantic's findings in the words of a job file: field, what was found, what would be right."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from .faults import Fault, Path
from .yamltree import Tree

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text (quote it)",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
}


def faults_of(details: Iterable[ErrorDetails], tree: Tree, model: type[BaseModel]) -> list[Fault]:
    """Every finding of pydantic as a fault with its place in the file."""
    return [fault for detail in details for fault in _faults(detail, tree, model)]


def _faults(detail: ErrorDetails, tree: Tree, model: type[BaseModel]) -> Iterator[Fault]:
    path = detail["loc"]
    if detail["type"] == "rules":
        for where, message in detail["ctx"]["faults"]:
            yield tree.fault((*path, *where.split(".")) if where else path, message)
    else:
        yield tree.fault(path, _message(detail, model))


def _message(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, found, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {quote(found)}"
    match kind:
        case "missing":
            return "is required"
        case "extra_forbidden":
            path = detail["loc"]
            return "unknown field" + nearest(str(path[-1]), keys_at(path[:-1], model))
        case "literal_error":
            return not_one_of(found, re.findall(r"'([^']*)'", context["expected"]))
        case "string_pattern_mismatch":
            return f"{quote(found)} does not match {context['pattern']}"
        case "scalar":
            return detail["msg"]
    return f"{detail['msg'].replace('Input should', 'should')}, found {quote(found)}"


def not_one_of(found: object, choices: list[str]) -> str:
    """The message for a word that is none of the choices, with the likeliest one."""
    more = f" and {len(choices) - 12} more" if len(choices) > 20 else ""
    shown = ", ".join(choices[:12] if more else choices)
    near = nearest(str(found), choices, listed=False)
    return f"{quote(found)} is not one of {shown}{more}{near}"


def quote(value: object) -> str:
    """The value as JSON, cut to a length that a line can hold."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def nearest(word: str, choices: list[str], *, listed: bool = True) -> str:
    """`; did you mean x?`, else a short list of what there is, else nothing."""
    folded = {_fold(choice): choice for choice in choices}
    if near := difflib.get_close_matches(_fold(word), folded, n=1, cutoff=0.6):
        return f"; did you mean {folded[near[0]]}?"
    return f"; known: {', '.join(choices)}" if listed and 0 < len(choices) <= 12 else ""


def _fold(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def keys_at(path: Path, model: type[BaseModel]) -> list[str]:
    """The keys that the model at the path knows."""
    schema = model.model_json_schema(by_alias=True)
    defs: dict[str, Any] = schema.get("$defs", {})
    node = _resolved(schema, defs)
    for step in path:
        below = node.get("properties", {}).get(step)
        node = _resolved(below or node.get("items") or node.get("additionalProperties") or {}, defs)
    return list(node.get("properties", {}))


def _resolved(node: Any, defs: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = node if isinstance(node, dict) else {}
    while "$ref" in plain or "anyOf" in plain:
        named = defs.get(str(plain.get("$ref")).rsplit("/", 1)[-1])
        plain = named or plain["anyOf"][0]
    return plain
