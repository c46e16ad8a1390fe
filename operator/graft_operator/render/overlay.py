"""The user's overlay over a pod: mappings are merged, named lists by name, the rest replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def overlaid(own: Any, asked: Any) -> Any:
    """`own` with `asked` over it; neither is changed."""
    if isinstance(own, Mapping) and isinstance(asked, Mapping):
        merged = dict(own)
        for key, value in asked.items():
            merged[key] = overlaid(own[key], value) if key in own else value
        return merged
    if _named(own) and _named(asked):
        return _by_name(own, asked)
    return asked


def _named(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and all(isinstance(item, Mapping) and "name" in item for item in value)
    )


def _by_name(own: Sequence[Any], asked: Sequence[Any]) -> list[Any]:
    merged = {item["name"]: item for item in own}
    for item in asked:
        name = item["name"]
        merged[name] = overlaid(merged[name], item) if name in merged else item
    return list(merged.values())
