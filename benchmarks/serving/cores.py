"""Who computes where: the server on the first core, everybody else on the last one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """The same core where there is one only."""

    server: int
    client: int

    @classmethod
    def here(cls) -> Cores:
        """Those that this process may use."""
        mine = sorted(os.sched_getaffinity(0))
        return cls(server=mine[0], client=mine[-1])


@contextmanager
def on(core: int) -> Iterator[None]:
    """This process, and those that it starts meanwhile, use one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
