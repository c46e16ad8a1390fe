"""Jobs on a terminal, redrawn in place; nothing of theirs is taken for markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from graft_cli import screen

from . import view
from .api import Object

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

HOLDS_UP = ("Failed", "Suspended", "Degraded")  # here True is the bad news


class Picture:
    """One job as a picture."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._noted = ""

    def show(self, raw: Object) -> None:
        """Draws the job as it is now."""
        self._live.update(job(raw), refresh=True)

    def note(self, words: str) -> None:
        """Writes the words above the picture unless they are those of last time."""
        if words != self._noted:
            self._live.console.print(screen.harmless(words), markup=False)
        self._noted = words


@contextmanager
def picture(name: str) -> Iterator[Picture]:
    """A picture on stderr for as long as the context is open."""
    with live() as opened:
        opened.update(_text(f"{name}: waiting for the API server"), refresh=True)
        yield Picture(opened)


@contextmanager
def live(console: Console | None = None) -> Iterator[Live]:
    """A place on stderr that is redrawn."""
    from rich.console import Console
    from rich.live import Live

    with Live(console=console or Console(stderr=True), auto_refresh=False) as opened:
        yield opened


def job(raw: Object) -> RenderableType:
    """Progress as a bar, then the conditions."""
    from rich.console import Group

    name = raw["metadata"]["name"]
    return Group(_text(f"{name}  {view.line(raw)}"), _bar(raw), _conditions(raw))


def jobs(raws: Iterable[Object], *, everywhere: bool = False) -> RenderableType:
    """The jobs as a table."""
    from rich.table import Table

    now = datetime.now(UTC)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in (("NAMESPACE",) if everywhere else ()) + view.HEAD:
        table.add_column(_text(title), no_wrap=True)
    for raw in raws:
        space = (raw["metadata"]["namespace"],) if everywhere else ()
        table.add_row(*map(_text, (*space, *view.row(raw, now))))
    return table


def _bar(raw: Object) -> RenderableType:
    from rich.progress_bar import ProgressBar

    share = (view.status(raw).get("progress") or {}).get("progressPercentage") or 0
    return ProgressBar(total=100, completed=share, width=40)


def _conditions(raw: Object) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for known in view.status(raw).get("conditions") or ():
        good = (known["status"] == "True") != (known["type"] in HOLDS_UP)
        style = "green" if good else "default"
        texts = (known["type"], known["status"], known["reason"], known.get("message") or "")
        table.add_row(*(Text(screen.harmless(text), style=style) for text in texts))
    return table


def _text(words: str) -> RenderableType:
    from rich.text import Text

    return Text(screen.harmless(words))
