"""DRSS with an adversarial loss."""

from __future__ import annotations

from graft_api import scalars as s

from .drss import Drss


class DrssAdversarial(Drss):
    """DRSS with an adversarial loss."""

    adversarial_weight: s.Weight = 0.1
    """Weight of the adversarial loss; default 0.1."""
