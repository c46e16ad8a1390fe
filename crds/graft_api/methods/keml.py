"""Knowledge-enhanced meta learning: relations learnt from few examples."""

from __future__ import annotations

from .meta import Meta


class Keml(Meta):
    """Knowledge-enhanced meta learning: relations learnt from few examples."""
