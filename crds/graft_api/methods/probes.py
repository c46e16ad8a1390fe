"""Probes: linear classifiers on every layer of the teacher guide the student's layers."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class Probes(Part):
    """Linear classifiers on every layer of the teacher guide the student's layers."""

    probe_epochs: s.Count = 5
    """Epochs that train the probes on the frozen teacher; default 5."""
    probe_learning_rate: s.Positive = 5e-3
    """Learning rate of the probes; default 0.005."""
    weight: s.Weight = 1.0
    """Weight of the layers' loss; default 1."""
