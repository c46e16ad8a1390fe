"""Work of any length that each process does for itself, before all go on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .process import Process

PAUSE = 2.0  # seconds between two signs of those that still work

T = TypeVar("T")


def together(process: Process, work: Callable[[], T], *, alive: Callable[[], None]) -> T:
    """What this process's work gives, when that of every process is done; an exchange.

    An exchange waits for lost peers only so long, and reading or writing may take longer: while any
    process works, they exchange signs, and `alive` is called. Raises what the work raises.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="together") as thread:
        running = thread.submit(work)
        while process.any(not futures.wait((running,), timeout=PAUSE).done):
            alive()
        return running.result()
