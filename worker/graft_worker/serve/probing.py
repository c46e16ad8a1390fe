"""What is fastest on this machine: the number format, and how many slots a batch has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from graft_worker.serve.choosing import slots
from graft_worker.serve.engines import Engine, Floats
from graft_worker.serve.examples import Example
from graft_worker.serve.settings import MOST_TOKENS, Limits

Clock = Callable[[], float]  # seconds
Key = TypeVar("Key", bound=Hashable)

BUDGETS = (256, 512, 1024, 2048)
ROUNDS = 3
CLEARLY = 1.2  # bf16 is worth its rounding only where it is this much faster
SAME = 0.02  # probabilities that differ by less are the same answer
NEARLY = 0.9  # a smaller batch with this share of the best speed is the better one: it ends sooner


def fastest(engines: Mapping[str, Engine], examples: Sequence[Example], *, clock: Clock) -> str:
    """The number format that answers like fp32 and is clearly faster, else fp32."""
    seconds = _seconds(
        {name: partial(engine.compute, examples) for name, engine in engines.items()}, clock
    )
    answers = {name: engine.compute(examples).logits for name, engine in engines.items()}
    return choose_format(seconds, answers)


def choose_format(seconds: Mapping[str, float], logits: Mapping[str, Floats]) -> str:
    """As `fastest`, from what was measured: seconds and logits [N, C] of each format."""
    close = [name for name in seconds if alike(logits["fp32"], logits[name])]
    best = min(close, key=lambda name: seconds[name])
    return best if seconds["fp32"] >= CLEARLY * seconds[best] else "fp32"


def alike(expected: Floats, found: Floats) -> bool:
    """Whether probabilities and numbers are the same but for rounding, and all are finite."""
    if not np.isfinite(found).all():
        return False
    if expected.shape[1] == 1:
        return bool((np.abs(found - expected) <= SAME * (1 + np.abs(expected))).all())
    ways: tuple[Callable[[Floats], Floats], ...] = (_softmax, _sigmoid)
    return all(bool((np.abs(way(found) - way(expected)) <= SAME).all()) for way in ways)


def budget(engine: Engine, example: Example, limits: Limits, *, clock: Clock) -> int:
    """Slots of a batch: as the limits say, else the best of four sizes for texts like this one."""
    if limits.max_tokens is not None:
        return limits.max_tokens
    width = slots(len(example))
    counts = {size: min(limits.max_batch, max(1, size // width)) for size in BUDGETS}
    batches = {size: [example] * count for size, count in counts.items()}
    seconds = _seconds({size: partial(engine.compute, batches[size]) for size in BUDGETS}, clock)
    return choose_budget({size: counts[size] * width / seconds[size] for size in BUDGETS})


def choose_budget(rates: Mapping[int, float]) -> int:
    """The smallest size that is about as fast as the fastest; `rates` are slots per second."""
    best = max(rates.values())
    return min(
        size for size, rate in rates.items() if rate >= NEARLY * best and size <= MOST_TOKENS
    )


def _seconds(works: Mapping[Key, Callable[[], object]], clock: Clock) -> dict[Key, float]:
    """The shortest of some rounds of each; the first, which also warms up, does not count.

    In turns, so that a neighbour who takes the core for a moment is no reason for a choice.
    """
    best = dict.fromkeys(works, float("inf"))
    for turn in range(ROUNDS + 1):
        for key, work in works.items():
            start = clock()
            work()
            if turn:
                best[key] = min(best[key], max(clock() - start, 1e-9))
    return best


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: Floats = powers / powers.sum(axis=1, keepdims=True)
    return found


def _sigmoid(logits: Floats) -> Floats:
    found: Floats = (1 / (1 + np.exp(-np.clip(logits, -50, 50)))).astype(np.float32)
    return found
