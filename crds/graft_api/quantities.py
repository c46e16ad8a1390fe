"""Numbers as Kubernetes writes them."""

from __future__ import annotations

from decimal import Decimal

_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}


def number(quantity: str) -> Decimal:
    """The exact value: `500m` is 0.5, `2Ki` is 2048, `1e3` is 1000."""
    if (suffix := quantity[-2:]) in _BINARY:
        return Decimal(quantity[:-2]) * (Decimal(1024) ** _BINARY[suffix])
    if (suffix := quantity[-1:]) in _DECIMAL:
        return Decimal(quantity[:-1]).scaleb(_DECIMAL[suffix])
    return Decimal(quantity)
