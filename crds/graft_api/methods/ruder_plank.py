"""Source data chosen by Bayesian optimisation."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class RuderPlank(Part):
    """Source data chosen by Bayesian optimisation."""

    trials: s.Count = 100
    """Trials of the search; default 100."""
    select_ratio: s.Ratio = 0.5
    """Share of the source data kept; default 0.5."""
