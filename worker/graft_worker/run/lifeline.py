"""A worker whose launcher, or whose `graft run`, dies does not go on alone."""

from __future__ import annotations

import os
import signal
import threading
import time

import psutil

LAUNCHER = "GRAFT_LAUNCHER_PID"  # set by the launcher for its workers
FOLDER = "GRAFT_LAUNCHER_FOLDER"  # what the launcher and its workers tell each other
BOARD, REPORT = "board", "report.json"  # files in it
SECONDS = 0.5


def tie(parent: int, *, ending: signal.Signals = signal.SIGKILL) -> None:
    """Sends this process `ending` soon after process `parent` is no longer its parent.

    SIGKILL for one of a gang: saving would need the peers, which die too, and checkpoints on disk
    are whole at every moment. SIGTERM for a whole stage, which saves by itself.

    A watching thread, since the kernel's own signal for it means the thread that started us, which
    may end before its process does, and only Linux has it.
    """
    threading.Thread(target=_watch, args=(parent, ending), name="lifeline", daemon=True).start()


def born() -> float:
    """When this process was started, on the monotonic clock."""
    return time.monotonic() - (time.time() - psutil.Process().create_time())


def _watch(parent: int, ending: signal.Signals) -> None:
    never = threading.Event()
    while os.getppid() == parent:
        never.wait(SECONDS)
    os.kill(os.getpid(), ending)
