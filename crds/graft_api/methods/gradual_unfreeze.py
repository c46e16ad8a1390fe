"""Layers join the training one after the other, from the top."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class GradualUnfreeze(Part):
    """Layers join the training one after the other, from the top."""

    every_epochs: s.Positive = 1.0
    """Epochs between two layers; default 1."""
