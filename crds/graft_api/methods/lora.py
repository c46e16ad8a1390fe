"""Low-rank updates of frozen matrices."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from graft_api import scalars as s
from graft_api.rules import Part


class Lora(Part):
    """Low-rank updates of frozen matrices."""

    rank: Annotated[int, Field(ge=1, le=1024)] = 8
    """Rank of the updates; default 8."""
    alpha: s.Positive = 16.0
    """Scale of the updates; default 16."""
    dropout: s.Ratio = 0.0
    """Dropout before the updates; default 0."""
    targets: Annotated[tuple[s.Short, ...], Field(max_length=64)] = ()
    """Modules that get updates; default: query and value."""
