"""Fields of requests: taken where they are what was expected, else refused by their path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from graft_worker.serve.refusals import malformed, wrong

Texts = tuple[tuple[str, ...], ...]  # each one text, or two that belong together


def parsed(body: bytes) -> dict[str, Any]:
    """The object that a body holds.

    Raises:
        Refusal: 400, it is not JSON, or another kind of JSON.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise malformed(f"the body is {kind(value)}, expected an object")
    return value


def only(value: dict[str, Any], names: Sequence[str], *, at: str = "") -> None:
    """Refuses names that nobody reads: most are misspelt."""
    for name in value:
        if name not in names:
            raise wrong(f"{at}{name}", f"unknown; there are {', '.join(names)}")


def strings(value: Any, *, at: str, most: int) -> list[str]:
    """A list of texts, one at least."""
    for place, text in enumerate(listed(value, at=at, most=most)):
        if not isinstance(text, str):
            raise wrong(f"{at}[{place}]", f"expected a text, found {kind(text)}")
    return list(value)


def listed(value: Any, *, at: str, most: int) -> list[Any]:
    """A list that is neither empty nor too long."""
    if not isinstance(value, list):
        raise wrong(at, f"expected a list, found {kind(value)}")
    if not value:
        raise wrong(at, "is empty, expected one entry at least")
    if len(value) > most:
        raise wrong(at, f"{len(value)} entries, at most {most} can wait at once: send fewer")
    return value


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
