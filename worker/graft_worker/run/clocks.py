"""Whether this node's clock agrees with the rendezvous store's.

Members of a rendezvous compare their own clocks with times that others wrote: a node whose clock is
off is taken for dead, or takes the others for dead, and the world shrinks without a word.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from torch.distributed import Store  # type: ignore[attr-defined]  # it is documented there

KEY = "graft/clock"
PERIOD = 0.5  # seconds between two entries of the store pod
READS = 4  # new entries that are looked at before a clock is called wrong


def tell(store: Store, now: float) -> None:
    """The store says that it is `now`, in seconds since 1970."""
    store.set(KEY, repr(now))


def skew(store: Store, *, limit: float, clock: Callable[[], float] = time.time) -> float | None:
    """By how many seconds this node is ahead, behind if negative; None where the store tells none.

    An entry may be old by its period, and by more where the machine is busy: beyond `limit` several
    new ones are awaited, and the kindest counts.
    """
    if not store.check([KEY]):
        return None
    found = _read(store, clock)
    pause = PERIOD / 2
    for _ in range(2 * READS):
        if abs(found) <= limit:
            break
        time.sleep(pause)
        found = min(found, _read(store, clock), key=abs)
    return found


def _read(store: Store, clock: Callable[[], float]) -> float:
    return clock() - float(store.get(KEY))
