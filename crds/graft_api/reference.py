"""The field reference in Markdown, from the same schemas as the CustomResourceDefinitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .crd import definition
from .immutability import fixed_paths
from .kinds import model_of
from .structural import Schema

_CELL = 60  # characters of a default that a table cell holds
_ENDLESS = 1_000_000  # a bound that only guards against nonsense
_HEAD = "| Field | Type | Default | Fixed | Meaning |\n|---|---|---|---|---|"


def page(kind: str) -> str:
    """The kind's page: every field of spec and status, with its type, default and meaning."""
    version = definition(kind)["spec"]["versions"][0]
    properties = version["schema"]["openAPIV3Schema"]["properties"]
    fixed = tuple(fixed_paths(model_of(kind)))
    blocks = [
        f"# {kind}",
        _sentence(version["schema"]["openAPIV3Schema"]["description"]),
        "Generated from the models in `crds/graft_api`: change them and run `make crds`.",
        _note(fixed),
        *_section("spec", properties["spec"], fixed),
        *_section("status", properties["status"], None),
    ]
    return "\n\n".join(blocks) + "\n"


def _note(fixed: tuple[str, ...]) -> str:
    if not fixed:
        return "Every field of the spec may be changed while the deployment runs."
    return (
        "Fields that are *fixed* keep the value that they had when the job was created;"
        " submit a new job under another name to change them."
    )


def _section(path: str, node: Schema, fixed: tuple[str, ...] | None) -> Iterator[str]:
    """A table of the plain fields, then one part for each block below."""
    yield f"## {path}" if "." not in path else f"### {path}"
    yield _sentence(node["description"])
    children = {f"{path}.{name}": child for name, child in node["properties"].items()}
    deep = path in ("spec", "status")
    plain = {p: c for p, c in children.items() if not (deep and "properties" in c)}
    rows = [row for p, c in plain.items() for row in _rows(p, c, node, fixed)]
    if rows:
        yield "\n".join([_HEAD, *rows])
    for inner, child in children.items():
        if inner not in plain:
            yield from _section(inner, child, fixed)


def _rows(path: str, node: Schema, parent: Schema, fixed: tuple[str, ...] | None) -> Iterator[str]:
    required = path.rpartition(".")[2] in parent.get("required", ())
    cells = (
        f"`{path}`",
        _type(node),
        "**required**" if required else _default(node),
        "yes" if fixed and _is_fixed(path, fixed) else "",
        node["description"].replace("|", "\\|").replace("\n", " "),
    )
    yield f"| {' | '.join(cells)} |"
    items = node.get("items", node)
    suffix = "[]" if "items" in node else ""
    for name, child in items.get("properties", {}).items():
        yield from _rows(f"{path}{suffix}.{name}", child, items, fixed)


def _is_fixed(path: str, fixed: tuple[str, ...]) -> bool:
    plain = path.replace("[]", "")
    return any(plain == prefix or plain.startswith(f"{prefix}.") for prefix in fixed)


def _type(node: Schema) -> str:
    if "enum" in node:
        return ", ".join(f"`{word}`" for word in node["enum"])
    if node.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "items" in node:
        return f"list of {_type(node['items'])}"
    if "additionalProperties" in node:
        return f"map of {_type(node['additionalProperties'])}"
    return f"{node['type']}{_range(node)}"


def _range(node: Schema) -> str:
    """The bounds, where they say more than that there are some."""
    low, high = node.get("minimum"), node.get("maximum")
    if low is None or high is None:
        return ""
    above = "over" if node.get("exclusiveMinimum") else "from"
    if high >= _ENDLESS:
        return f", {above} {low:g}"
    return f", {above} {low:g} to {'below ' if node.get('exclusiveMaximum') else ''}{high:g}"


def _default(node: Schema) -> str:
    if "default" not in node:
        return ""
    text = json.dumps(node["default"], ensure_ascii=False)
    return "see its fields" if "properties" in node or len(text) > _CELL else f"`{text}`"


def _sentence(text: Any) -> str:
    return str(text).replace("\n", " ")
