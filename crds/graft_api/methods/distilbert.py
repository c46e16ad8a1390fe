"""DistilBERT: soft targets, masked words and the cosine of hidden states."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class Distilbert(Part):
    """Soft targets, masked words and the cosine of hidden states."""

    temperature: s.Positive = 2.0
    """Softens both distributions; default 2."""
    soft_weight: s.Weight = 5.0
    """Weight of the teacher's answers; default 5."""
    mlm_weight: s.Weight = 2.0
    """Weight of the masked words; default 2."""
    cosine_weight: s.Weight = 1.0
    """Weight of the hidden states; default 1."""
