"""A few bytes that a launcher and its workers share: pulses go up, requests go down.

Reading and writing them costs less than a microsecond, so it can be done at every step, and they
can be read while the writer stands still.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_REQUESTS = struct.Struct("=q")
_PULSE = struct.Struct("=qdd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """A sign of life: last finished step, moment of the monotonic clock, seconds until the next.

    A patience of 0 waits for ever.
    """

    step: int = 0
    moment: float = 0.0
    patience: float = 0.0

    def overdue(self, now: float) -> float:
        """Seconds since the sign where the next one is overdue, else 0."""
        waited = now - self.moment
        return waited if 0 < self.patience < waited else 0.0


class Board:
    """The board of a launcher, or of a process that has none."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory

    @classmethod
    def create(cls, path: Path, *, workers: int) -> Self:
        """A new board for so many workers."""
        path.write_bytes(bytes(_REQUESTS.size + workers * _PULSE.size))
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The board that the launcher created."""
        with path.open("r+b") as file:
            return cls(mmap.mmap(file.fileno(), 0))

    @classmethod
    def alone(cls) -> Self:
        """A board of one process, shared with nobody."""
        return cls(mmap.mmap(-1, _REQUESTS.size + _PULSE.size))

    @property
    def requests(self) -> int:
        """How often a checkpoint was asked for."""
        count: int = _REQUESTS.unpack_from(self._memory)[0]
        return count

    def ask(self) -> None:
        """Asks for a checkpoint."""
        _REQUESTS.pack_into(self._memory, 0, self.requests + 1)

    def beat(self, worker: int, pulse: Pulse) -> None:
        """The worker of that local rank lives."""
        _PULSE.pack_into(self._memory, _place(worker), pulse.step, pulse.moment, pulse.patience)

    def pulses(self) -> tuple[Pulse, ...]:
        """The last sign of every worker, by local rank."""
        workers = (len(self._memory) - _REQUESTS.size) // _PULSE.size
        found = (_PULSE.unpack_from(self._memory, _place(worker)) for worker in range(workers))
        return tuple(Pulse(step=s, moment=m, patience=p) for s, m, p in found)

    def clear(self) -> None:
        """No worker has given a sign; requests stay."""
        self._memory[_REQUESTS.size :] = bytes(len(self._memory) - _REQUESTS.size)


def _place(worker: int) -> int:
    return _REQUESTS.size + worker * _PULSE.size


class SaveRequest:
    """Asked at every step: whether a checkpoint was asked for since the last one that was."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._seen = board.requests

    def __call__(self) -> bool:
        """Whether there is a new request; it is taken for granted then."""
        seen, self._seen = self._seen, self._board.requests
        return self._seen != seen
