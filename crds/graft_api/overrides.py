"""Values that a command line sets over those of the file: `spec.training.seed=7`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from . import yamltree
from .faults import DecodeError, Fault, Path, dotted
from .yamltree import Tree

TOP = ("apiVersion", "kind", "metadata", "spec", "status")


def apply(tree: Tree, overrides: Sequence[str]) -> None:
    """Sets each `path=value` in the tree; what cannot be set becomes a fault of the tree."""
    for override in overrides:
        try:
            path, value = _parse(override)
            _set(tree, path, value, override)
        except _Refused as refused:
            tree.faults.append(Fault(path="", line=0, message=str(refused), override=override))


class _Refused(Exception):  # noqa: N818  (never leaves this module)
    pass


def _parse(override: str) -> tuple[Path, Any]:
    name, equals, text = override.partition("=")
    if not equals or not re.fullmatch(r"[\w/-]+(\.[\w/-]+|\[\d+\])*", name):
        raise _Refused("expected path=value, such as spec.training.seed=7")
    path: Path = tuple(
        int(step[1:-1]) if step.startswith("[") else step
        for step in re.findall(r"\[\d+\]|[^.\[\]]+", name)
    )
    if path[0] not in TOP:
        raise _Refused(f"{path[0]} is no field of a job; did you mean spec.{name}?")
    try:
        value = yamltree.read(f"value: {text}" if "\n" not in text else text).data.get("value")
    except DecodeError as error:
        raise _Refused(f"cannot read the value: {error.faults[0].message}") from None
    return path, value


def _set(tree: Tree, path: Path, value: Any, override: str) -> None:
    node = tree.data
    for depth in range(1, len(path)):
        node = _enter(tree, node, path[: depth + 1], override)
    last = _step(node, path)
    _forget(tree, path)
    tree.overrides[path] = override
    if value is None and isinstance(node, dict):
        node.pop(last, None)
    else:
        node[last] = value


def _enter(tree: Tree, node: Any, path: Path, override: str) -> Any:
    """What stands at the path but its last step; a mapping is made where nothing is."""
    here = path[:-1]
    step = _step(node, here)
    if isinstance(node, dict) and step not in node:
        if isinstance(path[-1], int):
            raise _Refused(f"{dotted(here)} is not set, so it has no items")
        node[step] = {}
        tree.overrides[here] = override
    if not isinstance(node[step], dict | list):
        raise _Refused(f"{dotted(here)} holds {node[step]!r}, which has no fields")
    return node[step]


def _step(node: Any, path: Path) -> str | int:
    """The last step as the node takes it: a key of a mapping or a place in a list."""
    step, parent = path[-1], dotted(path[:-1])
    if isinstance(node, dict):
        if isinstance(step, int):
            raise _Refused(f"{parent} is no list")
        return step
    if not str(step).isdecimal():
        raise _Refused(f"{parent} is a list: name an item, such as [0]")
    if int(step) >= len(node):
        raise _Refused(f"{parent} has {len(node)} items, counted from 0")
    return int(step)


def _forget(tree: Tree, path: Path) -> None:
    """Places of what is replaced no longer count."""
    for known in [p for p in tree.lines if p[: len(path)] == path]:
        del tree.lines[known]
