"""All jobs of a namespace or of the cluster, as they change, until somebody interrupts."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator

from graft_cli import screen
from graft_cli.endings import EndedError, Ending
from graft_operator.cluster.requests import Ref

from . import view
from .api import Api, Object
from .jobs import jobs
from .naming import KINDS
from .watching import Change, Gone, Quiet, Seen, changes

Told = Change | EndedError
REDRAW_SECONDS = 5.0  # ages grow


def follow(api: Api, *, everywhere: bool) -> int:
    """Shows the jobs until Ctrl-C.

    Raises:
        EndedError: the server refuses or is gone.
    """
    jobs(api, everywhere=everywhere)  # says first what is not installed or not permitted
    try:
        _show(_merged(api, everywhere=everywhere), everywhere=everywhere)
    except KeyboardInterrupt:
        screen.say("\ngraft: nothing was touched; the jobs go on in the cluster")
    return Ending.INTERRUPTED


def _merged(api: Api, *, everywhere: bool) -> Iterator[Change | None]:
    """The changes of all kinds as they come; None when nothing came for a while."""
    told: queue.Queue[Told] = queue.Queue()
    for kind in KINDS:
        ref = Ref(kind=kind, namespace="" if everywhere else api.namespace)
        threading.Thread(target=_tell, args=(api, ref, told), daemon=True).start()
    while True:
        try:
            word = told.get(timeout=REDRAW_SECONDS)
        except queue.Empty:
            yield None
            continue
        if isinstance(word, EndedError):
            if word.code != Ending.NOT_FOUND:  # a kind that is not installed has no jobs
                raise word
            continue
        yield word


def _tell(api: Api, ref: Ref, told: queue.Queue[Told]) -> None:
    try:
        for change in changes(api, ref):
            told.put(change)
    except EndedError as error:
        told.put(error)


def _show(merged: Iterator[Change | None], *, everywhere: bool) -> None:
    if sys.stderr.isatty():
        _draw(merged, everywhere=everywhere)
    else:
        _write(merged, everywhere=everywhere)


def _draw(merged: Iterator[Change | None], *, everywhere: bool) -> None:
    from . import picture

    known: dict[tuple[str, str, str], Object] = {}
    with picture.live() as live:
        for change in merged:
            match change:
                case Seen(raw=raw):
                    known[_key(raw)] = raw
                case Gone(raw=raw):
                    known.pop(_key(raw), None)
            live.update(
                picture.jobs((known[key] for key in sorted(known)), everywhere=everywhere),
                refresh=True,
            )


def _write(merged: Iterator[Change | None], *, everywhere: bool) -> None:
    last: dict[tuple[str, str, str], str] = {}
    for change in merged:
        if change is None or isinstance(change, Quiet):
            continue
        raw, key = change.raw, _key(change.raw)
        line = "removed" if isinstance(change, Gone) else view.line(raw)
        if last.get(key) != line:
            last[key] = line
            space = f"{key[1]}/" if everywhere else ""
            print(screen.harmless(f"{raw['kind'].lower()}/{space}{key[2]}: {line}"), flush=True)


def _key(raw: Object) -> tuple[str, str, str]:
    meta = raw["metadata"]
    return str(KINDS.index(raw["kind"])), meta["namespace"], meta["name"]
