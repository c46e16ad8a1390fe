"""Meta-KD: a teacher of all domains weighs what it teaches the student (ACL 2021)."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class Metakd(Part):
    """A teacher of all domains weighs what it teaches the student."""

    alpha: s.Ratio = 0.5
    """Weight of the own domain's prototype against those of the others; default 0.5."""
    domain_weight: s.Weight = 0.5
    """Weight of the teacher's domain-adversarial loss; default 0.5."""
    knowledge_weight: s.Weight = 0.5
    """Weight of the transferable-knowledge loss of the student; default 0.5."""
    temperature: s.Positive = 2.0
    """Softens both distributions; default 2."""
    intermediate_epochs: s.Count = 5
    """Epochs that match inner layers before the answers; default 5."""
