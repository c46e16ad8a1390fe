"""Full lists: once before the first reconcile, then again and again beside the events."""

from __future__ import annotations

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
from graft_operator.shell.arrivals import JOB
from graft_operator.shell.keys import Key
from graft_operator.shell.state import State


def prime(state: State, sender: Sender, settings: Settings) -> None:
    """Every batch Job of ours is known: an unknown one must not look absent.

    Raises:
        UnreachableError: the server does not answer.
        RefusedError: the server refuses the list.
    """
    for raw in _items(sender, settings, kind=JOB, selector=Label.JOB):
        arrivals.came(state, raw, kind=JOB)


def everything(sender: Sender, settings: Settings) -> Iterator[tuple[str, Object]]:
    """Kind and object of all that is watched, page by page. Raises as `prime`."""
    for kind in (JOB, *KINDS):
        selector = Label.JOB if kind == JOB else ""
        for raw in _items(sender, settings, kind=kind, selector=selector):
            yield kind, raw


def leftovers(state: State, sender: Sender, settings: Settings) -> None:
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
