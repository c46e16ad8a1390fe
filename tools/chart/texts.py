"""The values as YAML with a sentence for each, as JSON schema, and as a page of Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

import yaml
from pydantic import BaseModel

from .values import Values

NOTICE = "# Generated from tools/chart; change the models and run `make crds`.\n"
_DROPPED = ("title", "default")
_PAGE = """# Values of the chart

Generated from the models in `tools/chart`: change them and run `make crds`.
[Installing on a cluster](../guides/cluster.md) says how to use them.

| Value | Default | Meaning |
|---|---|---|
"""


def values_yaml() -> str:
    """`values.yaml`: every default, each below its sentence."""
    return NOTICE + "\n".join(_lines(Values(), "")) + "\n"


def values_schema() -> str:
    """`values.schema.json`, with every reference written out, as people read it in messages."""
    schema = Values.model_json_schema(by_alias=True)
    flat = _flat(schema, schema.get("$defs", {}))
    flat["properties"]["global"] = {
        "type": "object",
        "description": "Values that a parent chart shares; none is used.",
    }
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of Graft"}
    return json.dumps(head | flat, indent=2, ensure_ascii=False) + "\n"


def values_page() -> str:
    """The page of Markdown: a row for every value."""
    return _PAGE + "".join(
        f"| `{path}` | `{_flow(value)}` | {text} |\n" for path, value, text in rows()
    )


def rows(part: BaseModel | None = None, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """Path, default and sentence of every value that is no group."""
    for name, value, text in _fields(part or Values()):
        if isinstance(value, BaseModel):
            yield from rows(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, text


def _fields(part: BaseModel) -> Iterator[tuple[str, Any, str]]:
    for name, field in type(part).model_fields.items():
        yield field.alias or name, getattr(part, name), field.description or ""


def _lines(part: BaseModel, pad: str) -> Iterator[str]:
    for name, value, text in _fields(part):
        yield from wrap(text, 98, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ")
        if isinstance(value, BaseModel):
            yield f"{pad}{name}:"
            yield from _lines(value, f"{pad}  ")
        else:
            yield f"{pad}{name}: {_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return json.dumps(value)
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


def _flat(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_flat(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        found = definitions[node["$ref"].rpartition("/")[2]]
        return _flat(found | {k: v for k, v in node.items() if k != "$ref"}, definitions)
    if "properties" in node:
        named = {k: _flat(v, definitions) for k, v in node["properties"].items()}
        return _plain(node, definitions) | {"properties": named}
    return _plain(node, definitions)


def _plain(node: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    dropped = (*_DROPPED, "$defs", "properties")
    return {k: _flat(v, definitions) for k, v in node.items() if k not in dropped}
