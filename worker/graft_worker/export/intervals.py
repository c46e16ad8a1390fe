"""How far a measured share may be from the true one."""

from __future__ import annotations

from math import sqrt

_Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution


def wilson(share: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share measured on `rows` independent rows (Wilson, 1927)."""
    if rows < 1:
        return 0.0, 1.0
    square = _Z * _Z / rows
    centre = (share + square / 2) / (1 + square)
    half = _Z * sqrt(share * (1 - share) / rows + square / (4 * rows)) / (1 + square)
    return max(0.0, centre - half), min(1.0, centre + half)
