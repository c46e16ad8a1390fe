"""What happens to jobs, as it happens: a list, then a watch, again and again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from graft_cli.endings import EndedError, Ending
from graft_operator.cluster.requests import Answer, Ref, Request, get

from .api import Api, Object, refusal

FIRST_WINDOW, WINDOW = 15, 60  # seconds of one watch
SLACK = 20.0  # seconds that the server may be late in closing it
LONGEST_PAUSE = 15.0
MOST_FAILURES = 20
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The job is there, and so."""

    raw: Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The job was removed."""

    raw: Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Nothing happened for a while; `words` says why where the connection was lost."""

    words: str = ""


Change = Seen | Gone | Quiet


def changes(
    api: Api, ref: Ref, *, selector: str = "", left: Callable[[], float] = lambda: WINDOW
) -> Iterator[Change]:
    """Every change of an object, or of a collection where the reference has no name; never ends.

    `selector` are the labels of those that are meant; `left` are the seconds for which anybody
    cares, a watch is not held longer.

    Raises:
        EndedError: the server refuses, or cannot be reached for minutes.
    """
    known: dict[str, Object] = {}
    version, failures, window = "", -1, FIRST_WINDOW  # -1: there was no list yet
    while True:
        try:
            if not version:
                items, version = _list(api, ref, selector)
                yield from _differences(known, items)
                failures = 0
            seconds = min(window, max(1, int(left())))
            for change, at in since(api, ref, version, selector=selector, seconds=seconds):
                version = at
                yield from _noted(known, change)
            window = WINDOW
            yield Quiet()
        except EndedError as error:
            if error.code != Ending.UNREACHABLE or not 0 <= failures < MOST_FAILURES:
                raise
            failures += 1
            yield Quiet(words=error.message)
            time.sleep(min(LONGEST_PAUSE, 0.5 * 2**failures, max(0.0, left())))
            version = ""


def _list(api: Api, ref: Ref, selector: str) -> tuple[list[Object], str]:
    found = api.read(Ref(kind=ref.kind, namespace=ref.namespace), _chosen(ref, selector))
    items = [{**item, "kind": ref.kind} for item in found.get("items") or ()]
    return items, str(found["metadata"]["resourceVersion"])


def _chosen(ref: Ref, selector: str) -> dict[str, str | int]:
    fields = f"metadata.name={ref.name}" if ref.name else ""
    return {"fieldSelector": fields, "labelSelector": selector}


def since(
    api: Api, ref: Ref, version: str, *, selector: str = "", seconds: int
) -> Iterator[tuple[Change | None, str]]:
    """Changes since that version, each with the version that it leaves, until the watch closes.

    An empty version says that the server has forgotten the old one and has to be asked for a list.
    """
    query = _chosen(ref, selector) | {
        "watch": 1,
        "allowWatchBookmarks": "true",
        "resourceVersion": version,
        "timeoutSeconds": seconds,
    }
    request = get(Ref(kind=ref.kind, namespace=ref.namespace), query=query)
    for line in api.lines(request, read_seconds=WINDOW + SLACK):
        event = json.loads(line)
        raw = event["object"]
        if event["type"] == "ERROR":
            _refuse(request, raw, line)
            yield None, ""
            return
        yield _change(event["type"], raw), str(raw["metadata"]["resourceVersion"])


def _refuse(request: Request, raw: Object, line: str) -> None:
    """Raises what the server says, unless it only forgot the version."""
    if raw.get("code") != GONE:
        data = json.dumps(raw).encode() if raw else line.encode()
        raise refusal(request, Answer(code=int(raw.get("code") or 500), data=data))


def _change(kind: str, raw: Object) -> Change | None:
    if kind == "BOOKMARK":
        return None
    return Gone(raw=raw) if kind == "DELETED" else Seen(raw=raw)


def _noted(known: dict[str, Object], change: Change | None) -> Iterator[Change]:
    if isinstance(change, Seen):
        known[_key(change.raw)] = change.raw
    if isinstance(change, Gone):
        known.pop(_key(change.raw), None)
    if change is not None:
        yield change


def _differences(known: dict[str, Object], items: list[Object]) -> Iterator[Change]:
    """What a list says beyond what was known."""
    now = {_key(item): item for item in items}
    for key in known.keys() - now.keys():
        yield Gone(raw=known.pop(key))
    for key, item in now.items():
        if _version(known.get(key)) != _version(item):
            known[key] = item
            yield Seen(raw=item)


def _key(raw: Object) -> str:
    return str(raw["metadata"]["uid"])


def _version(raw: Object | None) -> str:
    return str(raw["metadata"]["resourceVersion"]) if raw else ""
