"""pydantic's findings in the words of a job file: field, what was found, what would be right."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from .faults import Fault, Path
from .scalars import DIGEST, KEY
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

_BOUNDS = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le}",
    "string_too_short": "some text",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} item",
    "too_long": "at most {max_length} items",
}
_PATTERNS = {
    KEY: "lower-case letters, digits, - and . with a letter or digit at both ends",
    DIGEST: "sha256: and 64 hexadecimal digits",
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
        several = detail["loc"][-1] == "uri" and isinstance(found, list)
        return (
            f"expected {_EXPECTED[kind]}, found {quote(found)}"
            + "; for a list write uris" * several
        )
    if kind in _BOUNDS:
        return f"expected {_BOUNDS[kind].format(**context)}, found {_size(found)}"
    match kind:
        case "missing":
            return "is required"
        case "extra_forbidden":
            path = detail["loc"]
            return "unknown field" + _likely(str(path[-1]), keys_at(path[:-1], model))
        case "literal_error":
            return not_one_of(found, re.findall(r"'([^']*)'", context["expected"]))
        case "string_pattern_mismatch":
            pattern = context["pattern"]
            return f"expected {_PATTERNS.get(pattern, pattern)}, found {quote(found)}"
        case "scalar":
            return detail["msg"]
    return f"{detail['msg'].replace('Input should', 'should')}, found {quote(found)}"


def _size(found: object) -> str:
    """What a bound was broken by: a number, or how many there are."""
    if isinstance(found, str | list | tuple | dict) and found:
        return str(len(found))
    return quote(found)


def not_one_of(found: object, choices: list[str]) -> str:
    """The message for a word that is none of the choices, with the likeliest one."""
    more = f" and {len(choices) - 12} more" if len(choices) > 20 else ""
    shown = ", ".join(choices[:12] if more else choices)
    near = nearest(str(found), choices)
    return f"{quote(found)} is not one of {shown}{more}{near}"


def quote(value: object) -> str:
    """The value as JSON, cut to a length that a line can hold."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def nearest(word: str, choices: list[str]) -> str:
    """`; did you mean x?`, or nothing where no choice is like the word."""
    return _nearest(word, {_fold(choice): choice for choice in choices}, cutoff=0.6)


def _nearest(word: str, shown: dict[str, str], *, cutoff: float) -> str:
    if near := difflib.get_close_matches(_fold(word), shown, n=1, cutoff=cutoff):
        return f"; did you mean {shown[near[0]]}?"
    return ""


def _likely(word: str, keys: list[str]) -> str:
    """What an unknown key may have meant: a key of the block, one further down, or a list."""
    own = [name for name in keys if "." not in name]
    deep = {_fold(name.rpartition(".")[2]): name for name in reversed(keys)}
    known = f"; known: {', '.join(own)}" if 0 < len(own) <= 12 else ""
    return nearest(word, own) or _nearest(word, deep, cutoff=0.8) or known


def _fold(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def keys_at(path: Path, model: type[BaseModel]) -> list[str]:
    """The keys that the model at the path knows, then those of the blocks in it, dotted."""
    schema = _schema(model)
    defs: dict[str, Any] = schema.get("$defs", {})
    node = _resolved(schema, defs)
    for step in path:
        below = node.get("properties", {}).get(step)
        node = _resolved(below or node.get("items") or node.get("additionalProperties") or {}, defs)
    return sorted(_keys(node, defs, ()), key=lambda name: name.count("."))


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def _keys(node: dict[str, Any], defs: dict[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for name, child in node.get("properties", {}).items():
        yield ".".join((*path, name))
        if len(path) < 3:
            yield from _keys(_resolved(child, defs), defs, (*path, name))


def _resolved(node: Any, defs: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = node if isinstance(node, dict) else {}
    while "$ref" in plain or "anyOf" in plain:
        named = defs.get(str(plain.get("$ref")).rsplit("/", 1)[-1])
        plain = named or plain["anyOf"][0]
    return plain
