"""A meta phase over the sources, then fine-tuning."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class Meta(Part):
    """A meta phase over the sources, then fine-tuning."""

    meta_epochs: s.Count = 2
    """Epochs of the meta phase; default 2."""
    weight: s.Weight = 0.1
    """Weight of the domain or relation loss; default 0.1."""
