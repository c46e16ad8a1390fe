"""Which of the waiting texts are computed together."""

from __future__ import annotations

from collections.abc import Sequence

GRAIN = 8  # rows are padded to multiples of it


def together(lengths: Sequence[int], *, most: int, tokens: int) -> tuple[int, ...]:
    """Places of the texts of the next batch; `lengths` has the oldest first.

    The oldest text, then those nearest to it in length, older ones first, while the longest times
    their number is at most `tokens`. Nobody starves, for the oldest is always among them; and
    little is padding, for the others are like it. Shortest first would starve long texts.
    """
    oldest, *rest = range(len(lengths))
    chosen, width = [oldest], slots(lengths[oldest])
    for place in sorted(rest, key=lambda i: abs(lengths[i] - lengths[oldest])):
        wider = max(width, slots(lengths[place]))
        if len(chosen) == most or wider * (len(chosen) + 1) > tokens:
            break
        chosen.append(place)
        width = wider
    return tuple(chosen)


def slots(length: int) -> int:
    """How many slots a text takes when it is the longest of its batch."""
    return -(-length // GRAIN) * GRAIN
