"""A local run on the screen: a bar on a terminal, lines elsewhere, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from graft_api.progress import ProgressReport
from graft_worker.local.events import Began, Ended, Event, Progressed, Stopping

from . import figures, screen

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

LINE_SECONDS = 10.0
STOPPING = "saving a checkpoint, then stopping; a second Ctrl-C stops at once"
Show = Callable[[Event], None]


@contextmanager
def display(*, quiet: bool, clock: Callable[[], float]) -> Iterator[Show]:
    """A function that shows events on stderr, for as long as the context is open."""
    if quiet:
        yield lambda _event: None
    elif sys.stderr.isatty():
        from rich.console import Console

        progress = bar(Console(file=sys.stderr))  # rich itself obeys NO_COLOR
        # a terminal that is gone must not end a training
        with suppress(OSError):
            progress.start()
        try:
            yield _unheard(Bar(progress).show)
        finally:
            with suppress(OSError):
                progress.stop()
    else:
        yield Lines(clock).show


def _unheard(show: Show) -> Show:
    def shown(event: Event) -> None:
        with suppress(OSError):
            show(event)

    return shown


def began(event: Began) -> str:
    """What starts, and from where."""
    if event.resumed:
        return (
            f"{event.stage}: attempt {event.attempt}, from the checkpoint of step {event.resumed}"
        )
    return f"{event.stage}: started" + (f", attempt {event.attempt}" if event.attempt > 1 else "")


class Lines:
    """Plain lines, one for each turn of events and at most one per 10 seconds of progress."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = 0.0
        self._last: ProgressReport | None = None
        self._written: ProgressReport | None = None

    def show(self, event: Event) -> None:
        """Writes the event unless it is too early for a line."""
        match event:
            case Began():
                screen.say(began(event))
            case Progressed(report=report):
                self._last = report
                if self._clock() >= self._next:
                    self._write(event.stage)
            case Stopping():
                screen.say(f"{event.stage}: {STOPPING}")
            case Ended():
                if self._last is not self._written:
                    self._write(event.stage)

    def _write(self, stage: str) -> None:
        if (report := self._last) is None:
            return
        self._written, self._next = report, self._clock() + LINE_SECONDS
        parts = (report.state.lower(), figures.steps(report), *figures.details(report))
        screen.say(f"{stage}: " + "  ".join(parts))


class Bar:
    """One bar per stage, redrawn in place."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def show(self, event: Event) -> None:
        """Draws the event."""
        match event:
            case Began():
                self._begin(event)
            case Progressed(report=report) if self._task is not None:
                details = "  ".join(figures.details(report))
                self._draw(report.state.lower(), report=report, details=details)
            case Stopping() if self._task is not None:
                self._progress.update(self._task, details=STOPPING)
            case Ended(exit_code=0) if self._task is not None:
                total = self._progress.tasks[self._task].total or 1
                self._progress.update(self._task, state="done", total=total, completed=total)

    def _begin(self, event: Began) -> None:
        if event.resumed:
            self._progress.print(began(event), markup=False)
        self._task = self._progress.add_task(
            event.stage, total=None, state="starting", steps="", details=""
        )

    def _draw(self, state: str, *, report: ProgressReport, details: str) -> None:
        assert self._task is not None
        self._progress.update(
            self._task,
            total=report.total_steps or None,
            completed=report.step,
            state=state,
            steps=figures.steps(report),
            details=screen.harmless(details),
        )


def bar(console: Console) -> Progress:
    """One line per stage: its name, a bar, its state, steps and figures; nothing is markup."""
    from rich.progress import BarColumn, Progress, TextColumn

    names = ("description", "fields[state]", "fields[steps]", "fields[details]")
    stage, state, steps, details = (TextColumn(f"{{task.{n}}}", markup=False) for n in names)
    return Progress(stage, BarColumn(bar_width=20), state, steps, details, console=console)
