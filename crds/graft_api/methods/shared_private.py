"""A shared and a private encoder for each domain."""

from __future__ import annotations

from .fully_shared import FullyShared


class SharedPrivate(FullyShared):
    """A shared and a private encoder for each domain."""
