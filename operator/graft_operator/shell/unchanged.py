"""kopf compares nothing for us: it would copy every object of every event to find what changed."""

from __future__ import annotations

from typing import Any

import kopf


class Nothing(kopf.DiffBaseStorage):
    """No essence of an object is taken, kept, or compared; events are all that is asked for."""

    def build(self, **_: Any) -> Any:
        """An empty essence."""
        return {}

    def fetch(self, **_: Any) -> None:
        """There is never an earlier one."""

    def store(self, **_: Any) -> None:
        """Objects are not marked."""
