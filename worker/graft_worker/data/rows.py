"""One row of a data set as its format gave it, with its place for messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Row:
    """Values by column name, and where they stand: `line` counts from 1 (for Parquet: the row)."""

    values: Mapping[str, Any]
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A column that an app needs. `names` are tried in order when the job maps none."""

    name: str  # as in data.columns: text, text_a, text_b, label
    kind: Literal["text", "target", "group"]  # a group says which rows belong together
    names: tuple[str, ...]
    required: bool = True
