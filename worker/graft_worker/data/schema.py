"""EasyTransfer's grammar of columns: `label:str:1,text:str:1`."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from graft_api.errors import ConfigError

Kind = Literal["int", "float", "str", "base64"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column: length 1 is a scalar, more is a vector whose cell is comma separated."""

    name: str
    kind: Kind
    length: int


def parse(text: str) -> tuple[Field, ...]:
    """The columns of a file without header, in the file's order.

    Raises:
        ConfigError: names the part that does not follow `name:type:length`.
    """
    fields = tuple(_field(part.strip(), text) for part in text.split(","))
    counts = Counter(field.name for field in fields)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise ConfigError(f"schema {text!r}: column {twice[0]!r} stands twice")
    return fields


def _field(part: str, text: str) -> Field:
    name, kind, length = (*part.split(":"), "", "")[:3]
    if part.count(":") != 2 or not name or kind not in get_args(Kind) or not length.isdecimal():
        raise ConfigError(
            f"schema {text!r}: {part!r} is not name:type:length",
            hint=f"types are {', '.join(get_args(Kind))}; for example label:str:1,text:str:1",
        )
    if int(length) < 1:
        raise ConfigError(f"schema {text!r}: the length of {name!r} is at least 1")
    return Field(name, kind, int(length))  # type: ignore[arg-type]  # checked against Kind above


def convert(field: Field, cell: str) -> Any:
    """The value of a cell as the schema types it.

    Raises:
        ValueError: says what was expected of the cell.
    """
    if field.length == 1:
        return _scalar(field, cell)
    cells = cell.split(",")
    if len(cells) != field.length:
        raise ValueError(f"expected {field.length} values separated by commas, found {len(cells)}")
    return [_scalar(field, part) for part in cells]


def _scalar(field: Field, cell: str) -> Any:
    try:
        return _READERS[field.kind](cell)
    except (ValueError, binascii.Error):
        shown = cell if len(cell) <= 40 else cell[:40] + "…"
        raise ValueError(f"expected {field.kind}, found {shown!r}") from None


_READERS: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "base64": lambda cell: base64.b64decode(cell, validate=True),
}
