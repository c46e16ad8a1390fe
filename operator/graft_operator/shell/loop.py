"""The loop of one thread: take a key, look, decide, act, set the alarm."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime

from graft_api.errors import GraftError
from graft_operator import metrics
from graft_operator.observed import memory
from graft_operator.policies.finishing import finished
from graft_operator.settings import Settings
from graft_operator.shell import logs
from graft_operator.shell.acting import Actor
from graft_operator.shell.gathering import Gatherer
from graft_operator.shell.keys import Key
from graft_operator.shell.state import State
from graft_operator.sync import sync

log = logging.getLogger(__name__)


class Loop:
    """Reconciles keys of the queue; as many threads may run it as the connection has places."""

    def __init__(
        self, state: State, *, gatherer: Gatherer, actor: Actor, settings: Settings
    ) -> None:
        self._cache, self._queue, self._alarm = state.cache, state.queue, state.alarm
        self._gatherer = gatherer
        self._actor = actor
        self._settings = settings

    def run(self) -> None:
        """Works for ever; no failure of one job ends it."""
        while True:
            key, waited = self._queue.get()
            metrics.RECONCILE_LAG.labels(key[0]).observe(waited)
            began = time.monotonic()
            with logs.bound(kind=key[0], namespace=key[1], job=key[2]):
                failed = self._safely(key)
            metrics.RECONCILE_SECONDS.labels(key[0]).observe(time.monotonic() - began)
            metrics.RECONCILES.labels(key[0], "error" if failed else "ok").inc()
            if pause := self._queue.done(key, failed=failed):
                self._alarm.set(key, pause)

    def _safely(self, key: Key) -> bool:
        """Whether the look failed, so that the key has to come again."""
        try:
            self._once(key)
        except GraftError as error:
            log.warning("%s", error)
            return True
        except Exception:
            log.exception("reconcile failed")
            note = self._cache.note(key)
            note.refused = "the operator met an error of its own; see its log"
            note.until = time.monotonic() + 1.0
            return True
        return False

    def _once(self, key: Key) -> None:
        subject = self._cache.subject(key)
        if subject is None:
            self._alarm.clear(key)
            self._gatherer.forget(key)
            return
        observed = self._gatherer.observe(subject)
        now = datetime.now(UTC)
        outcome = sync(subject, observed, settings=self._settings, now=now)
        again = self._actor.act(subject, outcome)
        if again:
            self._queue.add(key)
        elif outcome.wake is not None:
            self._alarm.set(key, (outcome.wake - now).total_seconds())
        elif finished(memory(subject)):
            self._alarm.clear(key)
