"""Meta fine-tuning: typical examples of all domains first, then the target."""

from __future__ import annotations

from .meta import Meta


class Mft(Meta):
    """Meta fine-tuning: typical examples of all domains first, then the target."""
