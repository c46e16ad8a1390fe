"""A job followed to its end: lines on stderr, or a picture that changes in place."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from graft_cli import screen
from graft_cli.endings import EndedError, Ending

from . import view
from .api import Api, Object
from .naming import Found
from .watching import Gone, Quiet, Seen, changes

LINE_SECONDS = 10.0
UNSEEN = "no operator has looked at this job yet; `graft why {name}` says more"


class Show(Protocol):
    """Where changes of a job are shown."""

    def show(self, raw: Object) -> None:
        """Shows the job as it is now."""

    def note(self, words: str) -> None:
        """Shows a word about the connection."""


class Lines:
    """One line for each turn, and at most one per 10 seconds of mere progress."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = 0.0
        self._turn: tuple[str, ...] = ()
        self._last = self._noted = ""

    def show(self, raw: Object) -> None:
        """Writes the job's line unless it says nothing new, or it is too early."""
        line, turn = view.line(raw), (view.phase(raw), view.workers(raw), view.why_not(raw))
        if line == self._last or (turn == self._turn and self._clock() < self._next):
            return
        self._last, self._turn, self._next = line, turn, self._clock() + LINE_SECONDS
        screen.say(f"{raw['metadata']['name']}: {line}")

    def note(self, words: str) -> None:
        """Writes the words unless they are those of last time."""
        if words != self._noted:
            screen.say(f"graft: {words}")
        self._noted = words


def follow(api: Api, found: Found, *, seconds: float | None = None) -> int:
    """Shows the job until it ends; its exit code.

    Raises:
        EndedError: the time is over, the job was removed, or the server is gone.
    """
    with shown(found.ref.name) as show:
        raw = _to_the_end(api, found, show, seconds)
    return conclude(found, raw)


def untouched(found: Found, work: Callable[[], int]) -> int:
    """The work's exit code; Ctrl-C ends the work alone and says that the job goes on."""
    try:
        return work()
    except KeyboardInterrupt:
        name = found.ref.name
        screen.say(
            f"\ngraft: {found.label} was not touched and goes on in the cluster;"
            f" `graft watch {name}` looks again, `graft stop {name}` stops it"
        )
        return Ending.INTERRUPTED


def shown(name: str) -> AbstractContextManager[Show]:
    """A picture on a terminal, lines elsewhere."""
    if sys.stderr.isatty():
        from .picture import picture

        return picture(name)
    return nullcontext(Lines(time.monotonic))


def conclude(found: Found, raw: Object) -> int:
    """Says how the job ended and what to do next; its exit code."""
    status, name = view.status(raw), found.ref.name
    if view.ending(raw) == Ending.DONE:
        uri = (status.get("artefact") or {}).get("uri")
        screen.say(
            f"graft: {found.label} is complete" + (f"; the model is in {uri}" if uri else "")
        )
        return Ending.DONE
    failure = status.get("failure") or {}
    said = (
        failure.get("message") or view.condition(raw, "Failed").get("message") or "no reason given"
    )
    hint = f"{failure.get('hint') or ''}\nmore: graft why {name}, graft logs {name} --failed"
    screen.error(f"{found.label} failed: {said}", hint=hint.strip())
    return Ending.FAILED


def _to_the_end(api: Api, found: Found, show: Show, seconds: float | None) -> Object:
    began = time.monotonic()

    def left() -> float:
        return float("inf") if seconds is None else began + seconds - time.monotonic()

    raw: Object = {}
    for change in changes(api, found.ref, left=lambda: min(left(), 600.0)):
        match change:
            case Seen(raw=raw):
                show.show(raw)
                if view.ending(raw) is not None:
                    return raw
            case Gone():
                raise _gone(found)
            case Quiet(words=words):
                _note(show, found, raw, words)
        if left() <= 0:
            raise _late(found, seconds or 0.0)
    raise AssertionError("changes never end")


def _note(show: Show, found: Found, raw: Object, words: str) -> None:
    if words:
        show.note(f"{words}; trying again")
    elif not raw:
        raise _gone(found)
    elif not view.status(raw).get("observedGeneration"):
        show.note(UNSEEN.format(name=found.ref.name))


def _gone(found: Found) -> EndedError:
    return EndedError(f"{found.label} was removed meanwhile", code=Ending.NOT_FOUND)


def _late(found: Found, seconds: float) -> EndedError:
    name = found.ref.name
    return EndedError(
        f"{found.label} has not ended after {view.age(seconds)}; it goes on in the cluster",
        hint=f"`graft watch {name}` looks again, `graft why {name}` says what holds it up",
        code=Ending.TIME_OUT,
    )
