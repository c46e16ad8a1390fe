"""Signs of life of a training: after every step, and at every batch of an evaluation."""

from __future__ import annotations

import time
from collections.abc import Callable

from .board import Board, Pulse

FACTOR = 5.0  # usual long steps
LEAST = 120.0  # seconds
BEYOND_PEERS = 1.5  # whoever only waits for lost peers has to notice that first


def patience(wish: float | None, *, collective: float) -> Callable[[float], float]:
    """Seconds until the next sign, from how long a long step usually takes.

    `wish` is the job's own number, None for auto; `collective` is how long an exchange waits for
    lost peers, 0 without peers.
    """
    if wish is not None:
        return lambda _: wish
    return lambda long: max(FACTOR * long, LEAST, BEYOND_PEERS * collective)


class Heart:
    """Gives the signs of one process to a board."""

    def __init__(
        self,
        board: Board,
        patience: Callable[[float], float],
        *,
        worker: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board = board
        self._patience = patience
        self._worker = worker
        self._clock = clock
        self._step = 0
        self._seconds = 0.0

    @property
    def step(self) -> int:
        """The last step that was finished."""
        return self._step

    def beat(self, step: int, *, long: float) -> None:
        """A step is finished; `long` is what steps usually stay below."""
        self._step, self._seconds = step, self._patience(long)
        self.again()

    def again(self) -> None:
        """The work between two steps goes on; nothing before the first step."""
        if self._seconds:
            pulse = Pulse(step=self._step, moment=self._clock(), patience=self._seconds)
            self._board.beat(self._worker, pulse)

    def rest(self, step: int) -> None:
        """No more steps: nobody waits for the next."""
        self._step, self._seconds = step, 0.0
        self._board.beat(self._worker, Pulse(step=step, moment=self._clock()))


def silent() -> Heart:
    """A heart that nobody listens to."""
    return Heart(Board.alone(), lambda _: 0.0)
