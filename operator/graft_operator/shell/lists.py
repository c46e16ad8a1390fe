"""Full lists: once before the first reconcile, then again and again to heal what events missed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from graft_api.kinds import KINDS
from graft_api.vocabulary import Label, Role
from graft_operator import metrics
from graft_operator.cluster.requests import Object, Ref
from graft_operator.cluster.sending import Sender
from graft_operator.observed import memory
from graft_operator.policies.finishing import finished
from graft_operator.settings import Settings
from graft_operator.shell import arrivals
from graft_operator.shell.keys import Key
from graft_operator.shell.state import State

log = logging.getLogger(__name__)


def prime(state: State, sender: Sender, settings: Settings) -> None:
    """Every batch Job of ours is known: an unknown one must not look absent.

    Raises:
        UnreachableError: the server does not answer.
        RefusedError: the server refuses the list.
    """
    for raw in _items(sender, settings, kind="Job", selector=Label.JOB):
        arrivals.job_came(state, raw)


def resync(state: State, sender: Sender, settings: Settings) -> int:
    """How many differences the events had missed; each is mended. Raises as `prime`."""
    began = time.time()
    missed = 0
    seen: set[str] = set()
    for raw in _items(sender, settings, kind="Job", selector=Label.JOB):
        seen.add(raw["metadata"]["uid"])
        missed += arrivals.job_came(state, raw)
    for key, uid in state.cache.lost_jobs(seen, before=began):
        state.cache.drop_job(key, uid=uid)
        state.queue.add(key)
        missed += 1
    for kind in KINDS:
        missed += _subjects(state, sender, settings, kind=kind)
    _leftovers(state, sender, settings)
    return missed


def _subjects(state: State, sender: Sender, settings: Settings, *, kind: str) -> int:
    known = {s.uid: s for s in state.cache.heads() if s.kind == kind}
    missed = 0
    for raw in _items(sender, settings, kind=kind, selector=""):
        known.pop(raw["metadata"]["uid"], None)
        missed += arrivals.subject_came(state, raw, kind=kind)
    for gone in known.values():
        if gone.created.timestamp() < time.time() - settings.resync_seconds:
            state.cache.drop(gone.key, uid=gone.uid)
            missed += 1
    metrics.RESYNC_CORRECTIONS.labels(kind).inc(missed)
    return missed


def _leftovers(state: State, sender: Sender, settings: Settings) -> None:
    """Rendezvous pods of jobs that have ended: an operator that died may have left them."""
    selector = f"{Label.ROLE}={Role.RENDEZVOUS}"
    for raw in _items(sender, settings, kind="Pod", selector=selector):
        labels = raw["metadata"]["labels"]
        key: Key = (labels[Label.KIND], raw["metadata"]["namespace"], labels[Label.JOB])
        subject = state.cache.subject(key)
        if subject is not None and finished(memory(subject)):
            state.cache.note(key).leftover = True
            state.queue.add(key)


def _items(sender: Sender, settings: Settings, *, kind: str, selector: str) -> Iterator[Object]:
    for namespace in settings.namespaces or ("",):
        yield from sender.items(Ref(kind=kind, namespace=namespace), selector=selector)
    metrics.WATCH_LAST_EVENT.labels(kind).set(time.time())
