"""The merge patch between two statuses: what changed, and null for what is gone (RFC 7386)."""

from __future__ import annotations

from typing import Any


def merge_patch(old: Any, new: Any) -> dict[str, Any]:
    """What turns `old` into `new`; empty where they are equal."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            if inner := merge_patch(before, value):
                patch[key] = inner
        elif value != before or key not in old:
            patch[key] = value
    return patch
