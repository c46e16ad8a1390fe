"""How long things took; told at the end of the test run, asserted nowhere."""

from __future__ import annotations

TOLD: list[str] = []


def tell(what: str, seconds: float) -> None:
    """Adds a line to what the run tells at its end."""
    TOLD.append(f"{seconds:6.1f} s  {what}")
