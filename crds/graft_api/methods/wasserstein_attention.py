"""Attention over domains with Wasserstein regularisers."""

from __future__ import annotations

from graft_api import scalars as s
from graft_api.rules import Part


class WassersteinAttention(Part):
    """Attention over domains with Wasserstein regularisers."""

    gradient_penalty: s.Weight = 5.0
    """Weight of the gradient penalty; default 5."""
    critic_steps: s.Count = 5
    """Critic steps per step of the model; default 5."""
