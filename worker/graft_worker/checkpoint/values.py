"""The part of a checkpoint that is no tensor: plain values as strict JSON, given back unchanged.

Numbers that JSON lacks (nan, inf, -inf: a metric may be one) are written as {"$float": "nan"}.
Tuples come back as lists. Everything else that JSON would change silently is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

MARK = "$float"


def encode(values: Mapping[str, Any]) -> bytes:
    """The values as UTF-8 JSON, independent of later changes of them.

    Raises:
        TypeError: a value is no JSON value or a key no string; names its place.
        ValueError: a mapping uses the key "$float", which is taken.
    """
    plain = _plain(values, "values")
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=1).encode()


def decode(text: bytes) -> dict[str, Any]:
    """What `encode` was given, but for tuples, which are lists now."""
    values: dict[str, Any] = json.loads(text, object_hook=_number)
    return values


def _plain(value: object, place: str) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {MARK: str(value)}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{place}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(key, place): _plain(item, f"{place}.{key}") for key, item in value.items()}
    raise TypeError(
        f"{place}: {type(value).__name__} is no JSON value; tensors stand among the tensors"
    )


def _key(key: object, place: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{place}: the key {key!r} is no string and would come back as one")
    if key == MARK:
        raise ValueError(f"{place}: the key {MARK} is taken by numbers that JSON lacks")
    return key


def _number(mapping: dict[str, Any]) -> object:
    return float(mapping[MARK]) if mapping.keys() == {MARK} else mapping
