"""Relations between domains are learned with the features."""

from __future__ import annotations

from graft_api import scalars as s

from .fully_shared import FullyShared


class Drss(FullyShared):
    """Relations between domains are learned with the features."""

    correlation_weight: s.Weight = 0.5
    """Weight of the correlation loss; default 0.5."""
    l2: s.Weight = 4e-4
    """Weight of the L2 term; default 4e-4."""
