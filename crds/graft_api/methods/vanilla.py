"""Vanilla distillation: the student learns the teacher's softened answers beside the labels."""

from __future__ import annotations

from typing import Literal

from graft_api import scalars as s
from graft_api.rules import Part


class Vanilla(Part):
    """The student learns the teacher's softened answers beside the labels."""

    temperature: s.Positive = 5.0
    """Softens both distributions; default 5."""
    alpha: s.Ratio = 0.2
    """Weight of the teacher's answers against the labels; default 0.2."""
    loss: Literal["kl", "cross_entropy", "mse"] = "kl"
    """How answers are compared: kl, cross_entropy or mse of the logits; default kl."""
