"""Calls on a time line as folded stacks: where a thread was, and for how long in which call."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from graft_worker.train.phases import PHASES

# Ranges that programs mark begin within one call and end within another, so they are no calls.
CALLS = {"python_function", "cpu_op", "cuda_runtime", "cuda_driver"}
BACKWARD = "autograd::engine::"  # on a GPU it has a thread of its own
ADDRESS = re.compile(r" at 0x[0-9a-f]+")

# The names from the outermost call in, and the microseconds spent in the innermost one itself.
Stacks = Mapping[tuple[str, ...], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call in a thread, from `start` to `end` in microseconds."""

    name: str
    thread: int
    start: float
    end: float


def calls(trace: Mapping[str, Any]) -> list[Call]:
    """The calls on a time line as Chrome reads it, of the threads that train."""
    events = [e for e in trace["traceEvents"] if e.get("ph") == "X"]
    training = {e["tid"] for e in events if e["name"] in PHASES or e["name"].startswith(BACKWARD)}
    return [
        Call(
            name=ADDRESS.sub("", event["name"]).replace(";", ","),
            thread=event["tid"],
            start=event["ts"],
            end=event["ts"] + event["dur"],
        )
        for event in events
        if event.get("cat") in CALLS and event["tid"] in training
    ]


def folded(found: Iterable[Call]) -> Stacks:
    """The stacks of all calls. A call that outlasts its caller ends with it."""
    times: dict[tuple[str, ...], float] = defaultdict(float)
    in_order = sorted(found, key=lambda call: (call.thread, call.start, -call.end))
    for _, own in groupby(in_order, key=lambda call: call.thread):
        for stack, time in _spans(own):
            times[stack] += time
            if len(stack) > 1:
                times[stack[:-1]] -= time
    whole = {stack: round(time) for stack, time in times.items()}
    return {stack: time for stack, time in whole.items() if time > 0}


def _spans(in_order: Iterable[Call]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Every call of a thread as its stack, with the whole time that it took."""
    above: list[tuple[tuple[str, ...], float]] = []
    for call in in_order:
        while above and above[-1][1] <= call.start:
            above.pop()
        stack, limit = above[-1] if above else ((), call.end)
        end = min(call.end, limit)
        above.append(((*stack, call.name), end))
        yield above[-1][0], end - call.start


def text(stacks: Stacks) -> str:
    """A stack a line, as flamegraph.pl, inferno and speedscope read it."""
    return "".join(f"{';'.join(stack)} {time}\n" for stack, time in sorted(stacks.items()))
