"""Ends a process that trains alone and no longer finishes a step."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from graft_api.errors import HungError
from graft_api.vocabulary import Env
from graft_worker.report import last_words, termination
from graft_worker.report.board import Board, Pulse

from . import mirroring, stacks

SECONDS = 1.0

log = logging.getLogger(__name__)


def overdue(board: Board, now: float) -> Pulse | None:
    """The oldest sign of life that should have been followed by another, if there is one."""
    late = [pulse for pulse in board.pulses() if pulse.overdue(now)]
    return min(late, key=lambda pulse: pulse.moment, default=None)


def hung(pulse: Pulse, now: float, where: Path) -> HungError:
    """The error that says so."""
    error = HungError(
        f"no step for {now - pulse.moment:.0f} s after step {pulse.step}; stacks in {where}",
        hint="the stacks say what every thread was doing; a longer run.deadlines.hang waits longer",
    )
    last_words.note_step(error, pulse.step)
    return error


def guard(board: Board, environ: Mapping[str, str]) -> Callable[[], None]:
    """Watches this process from a thread; what is returned ends the watch.

    A process that is stopped from outside cannot watch itself: its reports then stay old.
    """
    done = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(board, dict(environ), done), name="watch", daemon=True
    )
    thread.start()
    return done.set


def _watch(board: Board, environ: Mapping[str, str], done: threading.Event) -> None:
    last = time.monotonic()
    while not done.wait(SECONDS):
        now = time.monotonic()
        # Whoever was stopped himself must not take the time for idleness.
        awake, last = now - last < 5 * SECONDS, now
        if awake and (pulse := overdue(board, now)):
            _end(pulse, now, environ)


def _end(pulse: Pulse, now: float, environ: Mapping[str, str]) -> None:
    where = stacks.home(environ, otherwise=Path.cwd())
    error = hung(pulse, now, where)
    try:
        stacks.write(where, int(environ.get("RANK", "0")))
    except OSError as failure:
        log.warning("%s: the stacks cannot be written: %s", where, failure.strerror)
    log.error("%s", error)
    words = last_words.ending(error)
    if place := environ.get(Env.TERMINATION_FILE):
        termination.write(Path(place), words)
    mirroring.send_logs(environ)
    os._exit(words.exit_code)
