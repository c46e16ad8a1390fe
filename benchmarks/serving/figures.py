"""Numbers of what was served: percentiles, likeness of vectors. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

ALIKE = 0.999  # cosine of two vectors that are the same but for rounding

Vectors = Sequence[Sequence[float]]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not pass."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Of the angle between two vectors."""
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return dot / (math.hypot(*one) * math.hypot(*other))


def cosines(found: Mapping[str, Vectors], *, to: str) -> Mapping[str, float]:
    """Each variant's mean cosine to the vectors of the one named."""
    return {name: _mean(vectors, found[to]) for name, vectors in found.items()}


def unlike_faults(means: Mapping[str, float], *, excused: Sequence[str]) -> Iterator[str]:
    """A sentence for every variant that answers otherwise; int8 pays and is excused."""
    for name, mean in means.items():
        if mean < ALIKE and name not in excused:
            yield f"the vectors of {name} have a mean cosine of {mean:.4f}, at least {ALIKE} wanted"


def late_faults(p99: Mapping[str, float]) -> Iterator[str]:
    """A sentence for every variant of ours whose slowest answers come later than the default's."""
    for name, seconds in p99.items():
        if name.startswith("ours") and seconds > p99["default"]:
            yield f"p99 of {name} is {seconds:.3f} s, of default {p99['default']:.3f} s"


def _mean(found: Vectors, wanted: Vectors) -> float:
    values = [cosine(one, other) for one, other in zip(found, wanted, strict=True)]
    return sum(values) / len(values)
