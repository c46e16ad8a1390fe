"""Shared features that do not tell the domain."""

from __future__ import annotations

from graft_api import scalars as s

from .fully_shared import FullyShared


class SharedPrivateAdversarial(FullyShared):
    """Shared features that do not tell the domain."""

    adversarial_weight: s.Weight = 0.1
    """Weight of the adversarial loss; default 0.1."""
