"""Whether somebody asked this process to save and stop: by a signal, a file or a call."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

SECONDS = 0.5  # between two looks at the file: a network folder answers slowly


class StopRequest:
    """Asked at every step; once true it stays true."""

    def __init__(
        self, *, file: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file = file
        self._clock = clock
        self._asked = False
        self._look = clock()

    def __call__(self) -> bool:
        """Whether to stop."""
        if not self._asked and self._file is not None and self._clock() >= self._look:
            self._look = self._clock() + SECONDS
            self._asked = self._file.exists()
        return self._asked

    def ask(self) -> None:
        """Asks for it from within the program."""
        self._asked = True

    def listen(self, *numbers: signal.Signals) -> None:
        """Takes these signals as the wish to stop, such as SIGTERM; main thread only."""
        for number in numbers:
            signal.signal(number, self._heard)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._asked = True
