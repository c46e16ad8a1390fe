"""What an API server fills in: the defaults of a structural schema, from the outside inwards."""

from __future__ import annotations

import copy
from typing import Any


def defaulted(value: Any, schema: dict[str, Any]) -> Any:
    """The value with every default of the schema written out."""
    if isinstance(value, list) and "items" in schema:
        return [defaulted(item, schema["items"]) for item in value]
    if not isinstance(value, dict):
        return value
    out = dict(value)
    for name, child in schema.get("properties", {}).items():
        if name not in out and "default" in child:
            out[name] = copy.deepcopy(child["default"])
        if name in out:
            out[name] = defaulted(out[name], child)
    return out
