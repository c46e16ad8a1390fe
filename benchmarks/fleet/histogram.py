"""Quantiles: of a list, and of what a histogram of the operator gained between two looks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

SHARES = {"p50": 0.50, "p99": 0.99}
BOUND = re.compile(r'le="([^"]+)"')


def ranks(values: Sequence[float]) -> Mapping[str, float]:
    """Values at these shares, and the largest."""
    ordered = sorted(values)
    last = len(ordered) - 1
    found = {name: ordered[min(int(len(ordered) * share), last)] for name, share in SHARES.items()}
    return {name: round(value, 4) for name, value in (found | {"max": ordered[last]}).items()}


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> Mapping[str, float]:
    """Upper bounds of the buckets in which these shares of the new observations lie."""
    old, new = _cumulative(before), _cumulative(after)
    gained = {bound: new[bound] - old.get(bound, 0.0) for bound in new}
    total = gained[float("inf")]
    found = {
        name: min(bound for bound, count in gained.items() if count >= share * total)
        for name, share in SHARES.items()
    }
    return {"observations": total, **{name: min(found[name], 1e9) for name in SHARES}}


def _cumulative(series: Mapping[str, float]) -> Mapping[float, float]:
    """Counts by bound, over all other labels."""
    found: dict[float, float] = defaultdict(float)
    for labels, value in series.items():
        bound = BOUND.search(labels)
        assert bound is not None, labels
        found[float(bound[1])] += value
    return found
