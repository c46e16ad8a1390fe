"""What events have missed: found by full lists, told from what is only late, mended, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from graft_operator import metrics
from graft_operator.cluster.connection import RefusedError
from graft_operator.cluster.requests import Object, get, ref_of
from graft_operator.cluster.sending import Sender
from graft_operator.settings import Settings
from graft_operator.shell import arrivals, lists
from graft_operator.shell.arrivals import JOB
from graft_operator.shell.keys import Key
from graft_operator.shell.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Between the cache and full lists; an event may be on its way for each."""

    came: tuple[tuple[str, Object], ...]  # kind and object: unknown, or newer than what is known
    gone: tuple[tuple[str, Key, str], ...]  # kind, key and UID: known, and in no list


def compare(state: State, sender: Sender, settings: Settings) -> Differences:
    """What the server has otherwise than the cache.

    Raises:
        UnreachableError: the server does not answer.
        RefusedError: the server refuses a list.
    """
    known = _known(state)  # before the lists: what comes meanwhile is not in them
    came = []
    for kind, raw in lists.everything(sender, settings):
        known.pop((kind, raw["metadata"]["uid"]), None)
        if arrivals.news(state, raw, kind=kind):
            came.append((kind, raw))
    gone = ((kind, key, uid) for (kind, uid), key in known.items())
    return Differences(came=tuple(came), gone=tuple(gone))


def mend(state: State, sender: Sender, found: Differences) -> Counter[str]:
    """How many of the differences no event has mended meanwhile, by kind. Raises as `compare`."""
    missed: Counter[str] = Counter()
    for kind in _mended(state, sender, found):
        metrics.RESYNC_CORRECTIONS.labels(kind).inc()
        missed[kind] += 1
    return missed


def _mended(state: State, sender: Sender, found: Differences) -> Iterator[str]:
    for kind, raw in found.came:
        if arrivals.news(state, raw, kind=kind) and _as_it_is(state, sender, raw, kind=kind):
            yield kind
    for kind, key, uid in found.gone:
        if arrivals.lost(state, key, kind=kind, uid=uid):
            yield kind


def _known(state: State) -> dict[tuple[str, str], Key]:
    jobs = {(JOB, uid): key for key, uid in state.cache.batches()}
    return jobs | {(head.kind, head.uid): head.key for head in state.cache.heads()}


def _as_it_is(state: State, sender: Sender, raw: Object, *, kind: str) -> bool:
    """Whether the object is still there: it may have come and gone by events since the list."""
    request = get(ref_of({**raw, "kind": kind}))
    answer = sender.send(request)
    if answer.code == 404:
        return False
    if not answer.ok:
        raise RefusedError(request, answer)
    return arrivals.came(state, answer.json(), kind=kind)
