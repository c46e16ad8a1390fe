"""Minimax game between selector and discriminator."""

from __future__ import annotations

from graft_api import scalars as s

from .rtl import Rtl


class Mgtl(Rtl):
    """Minimax game between selector and discriminator."""

    eta: s.Weight = 1.0
    """Weight of the reward; default 1."""
    mu: s.Weight = 0.1
    """Weight of the discriminator; default 0.1."""
