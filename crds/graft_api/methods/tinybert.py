"""TinyBERT: embeddings, hidden states and attention first, then answers."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class Tinybert(Part):
    """Embeddings, hidden states and attention first, then answers."""

    temperature: s.Positive = 1.0
    """Softens both distributions; default 1."""
    intermediate_epochs: s.Count = 10
    """Epochs that match inner layers before the answers; default 10."""
