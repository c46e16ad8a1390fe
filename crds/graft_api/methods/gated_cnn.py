"""Gated convolutions over several granularities."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from graft_api import scalars as s
from graft_api.rules import Part


class GatedCnn(Part):
    """Gated convolutions over several granularities."""

    granularities: Annotated[
        tuple[Literal["char", "word", "topic"], ...], Field(min_length=1, max_length=3)
    ] = (
        "char",
        "word",
        "topic",
    )
    """Granularities used; default all three."""
    widths: Annotated[tuple[s.Count, ...], Field(min_length=1, max_length=8)] = (3, 4, 5)
    """Widths of the convolutions; default 3, 4 and 5."""
