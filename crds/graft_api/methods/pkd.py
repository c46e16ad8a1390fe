"""Patient distillation: the student's [CLS] states follow those of chosen teacher layers."""

from __future__ import annotations

from typing import Literal

from graft_api import scalars as s
from graft_api.rules import Part


class Pkd(Part):
    """The student's [CLS] states follow those of chosen teacher layers."""

    temperature: s.Positive = 5.0
    """Softens both distributions; default 5."""
    alpha: s.Ratio = 0.5
    """Weight of the teacher's answers against the labels; default 0.5."""
    beta: s.Weight = 100.0
    """Weight of the layers' loss; default 100."""
    layers: Literal["skip", "last"] = "skip"
    """Teacher layers that are followed: every k-th or the last ones; default skip."""
