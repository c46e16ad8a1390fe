"""profile.json: what the training data looked like, the base line of drift.

N rows, C labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from graft_worker.data.blocks import Array
from graft_worker.data.prepared import Problem

_SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def profile(
    lengths: Array, targets: Array, *, unknown: float, problem: Problem, labels: tuple[str, ...]
) -> dict[str, Any]:
    """Rows, quantiles of length in tokens, and the histogram of labels or quantiles of values.

    `lengths` [N]; `targets` [N] of label numbers or values, or [N, C] of zeros and ones; `unknown`
    is the share of tokens that the vocabulary lacks.
    """
    found = of_lengths(lengths, unknown=unknown)
    if problem == "regression":
        return found | {"values": _quantiles(targets)}
    return found | {"labels": histogram(targets, labels)}


def of_lengths(lengths: Array, *, unknown: float) -> dict[str, Any]:
    """The part of the profile that needs no targets."""
    return {
        "rows": len(lengths),
        "tokens": _quantiles(lengths),
        "unknownTokens": round(unknown, 6),
    }


def histogram(targets: Array, labels: tuple[str, ...]) -> dict[str, int]:
    """How many rows have each label, in the order of the labels; targets as in `profile`."""
    numbers = np.asarray(targets)
    if numbers.ndim == 2:
        counts = numbers.astype(np.int64).sum(axis=0)
    else:
        counts = np.bincount(numbers.astype(np.int64), minlength=len(labels))
    return dict(zip(labels, counts.tolist(), strict=True))


def _quantiles(values: Array) -> dict[str, float]:
    numbers = np.asarray(values, np.float64)
    cuts = np.quantile(numbers, _SHARES) if len(numbers) else np.zeros(len(_SHARES))
    names = (f"p{round(100 * share):02d}" for share in _SHARES)
    return {name: round(float(cut), 6) for name, cut in zip(names, cuts, strict=True)}
