"""How much memory a process has: what is its own, and what it shares with files."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

STATUS = Path("/proc/self/status")
OWN, PEAK = "RssAnon", "VmHWM"  # KiB in it: pages that no file backs; most pages ever, files' too
EVERY = 0.01  # seconds


def mebibytes(what: str) -> float:
    """The field of the process's status in MiB."""
    lines = (line.split() for line in STATUS.read_text().splitlines())
    return next(int(line[1]) for line in lines if line[0] == f"{what}:") / 1024


class Watch:
    """The most memory of its own that the process has while this is open, looked at 100 times a s.

    Pages of mapped files do not count: the kernel takes them back when others need the room.
    """

    def __init__(self) -> None:
        self.most = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.most = max(self.most, mebibytes(OWN))
            if self._over.wait(EVERY):
                self.most = max(self.most, mebibytes(OWN))
                return
