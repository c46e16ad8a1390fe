"""All weights are trained."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class Finetune(Part):
    """All weights are trained."""

    freeze_layers: s.Natural = 0
    """Lowest layers kept as they are; default 0."""
    layer_decay: s.Ratio = 1.0
    """Factor of the learning rate from layer to layer downwards; default 1."""
