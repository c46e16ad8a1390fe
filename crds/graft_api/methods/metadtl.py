"""Meta distant transfer learning: tasks weighted by how near they are."""

from __future__ import annotations

from .meta import Meta


class Metadtl(Meta):
    """Meta distant transfer learning: tasks weighted by how near they are."""
