"""A worker whose launcher dies does not go on alone."""

from __future__ import annotations

import os
import signal
import threading

LAUNCHER = "GRAFT_LAUNCHER_PID"  # set by the launcher for its workers
SECONDS = 0.5


def tie(parent: int) -> None:
    """Kills this process soon after process `parent` is no longer its parent.

    A watching thread, since the kernel's own signal for it means the thread that started us, which
    may end before its process does, and only Linux has it.
    """
    threading.Thread(target=_watch, args=(parent,), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    never = threading.Event()
    while os.getppid() == parent:
        never.wait(SECONDS)
    # Saving would need the peers, which die too; checkpoints on disk are whole at every moment.
    os.kill(os.getpid(), signal.SIGKILL)
