"""A policy that chooses source examples by reinforcement."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class Rtl(Part):
    """A policy that chooses source examples by reinforcement."""

    hidden: s.Count = 128
    """Width of the policy; default 128."""
    learning_rate: s.Positive = 1e-3
    """Learning rate of the policy; default 1e-3."""
    gamma: s.Ratio = 0.95
    """Discount of the reward; default 0.95."""
    min_keep: s.Count = 1
    """Fewest examples of a batch that are kept; default 1."""
