"""Small bottlenecks are trained between frozen layers."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class Adapter(Part):
    """Small bottlenecks are trained between frozen layers."""

    size: s.Count = 64
    """Width of the bottleneck; default 64."""
