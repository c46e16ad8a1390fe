"""One replica leads: it waits for the Lease, renews it, and ends before it can have run out."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from graft_api.errors import GraftError
from graft_operator.cluster import leases
from graft_operator.cluster.connection import Connection
from graft_operator.cluster.requests import Ref
from graft_operator.policies import leading
from graft_operator.policies.leading import TERMS, Lease, Sight, Terms
from graft_operator.settings import Settings
from graft_operator.shell.state import State

log = logging.getLogger(__name__)


def _end() -> None:
    os._exit(1)  # at once: what other threads still do could meet what another leader does


class Leader:
    """The Lease as this replica holds it; `end` is called once it may be another's."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        state: State,
        *,
        terms: Terms = TERMS,
        end: Callable[[], None] = _end,
    ) -> None:
        self._connection = connection
        self._ref = Ref(kind="Lease", namespace=settings.namespace, name=leases.NAME)
        self._identity = settings.identity
        self._state = state
        self._terms = terms
        self._end = end
        self._lease: Lease | None = None  # as this replica has written or read it last
        self._over = threading.Event()
        self._turn = threading.Lock()  # of the two threads that write the Lease

    def wait(self) -> None:
        """Returns when this replica leads; from then on threads renew the Lease and watch it."""
        sight: Sight | None = None
        while True:
            sight = self._seek(sight)
            now = time.monotonic()
            if self._state.leads(now):
                break
            left = leading.wait(sight, me=self._identity, now=now) if sight else 0.0
            time.sleep(min(left, self._terms.pause) or self._terms.pause)
        log.info("this replica leads")
        for work in (self._renew, self._watch):
            threading.Thread(target=work, name="lease", daemon=True).start()

    def give_back(self) -> None:
        """Another replica may lead at once; called when nothing is written any more."""
        seconds = self._terms.patience(self._terms.acts)
        with self._turn:
            self._over.set()
            self._state.lead_until = 0.0
            if self._lease is not None:
                with suppress(GraftError):
                    self._write(self._lease, holder="", seconds=seconds)

    def _seek(self, before: Sight | None) -> Sight | None:
        """The newest sight of the Lease, which is taken where it may be."""
        seconds = self._terms.patience(self._terms.acts)
        try:
            found = leases.read(self._connection, self._ref, seconds=seconds)
            now = time.monotonic()
            sight = leading.seen(before, found, now=now)
            if not leading.wait(sight, me=self._identity, now=now):
                self._take(found, seconds=seconds)
        except GraftError as error:
            log.warning("%s", error)
            return before
        return sight

    def _take(self, old: Lease | None, *, seconds: float) -> bool:
        """Whether the Lease is this replica's, counted from before the server was asked."""
        asked = time.monotonic()
        taken = self._write(old, holder=self._identity, seconds=seconds)
        if taken is None:
            return False
        self._lease = taken
        self._state.lead_until = asked + self._terms.acts
        return True

    def _write(self, old: Lease | None, *, holder: str, seconds: float) -> Lease | None:
        spec = leading.claim(old, holder=holder, now=datetime.now(UTC), terms=self._terms)
        return leases.write(self._connection, self._ref, old, spec=spec, seconds=seconds)

    def _renew(self) -> None:
        while not self._over.wait(self._terms.pause):
            with self._turn:
                if self._over.is_set() or self._kept():
                    continue
            self._lose("the Lease is another's")

    def _kept(self) -> bool:
        """Whether nobody else has the Lease; it is renewed where the server answers."""
        left = self._state.lead_until - time.monotonic()
        seconds = self._terms.patience(left)
        try:
            if not self._take(self._lease, seconds=seconds):
                # Also where the answer to a renewal was lost, and it counts nevertheless.
                self._lease = leases.read(self._connection, self._ref, seconds=seconds)
                if self._free():
                    self._take(self._lease, seconds=seconds)
        except GraftError as error:
            log.warning("%s", error)
        return self._free()

    def _free(self) -> bool:
        return self._lease is None or self._lease.holder == self._identity

    def _watch(self) -> None:
        """Ends the process in time, whatever the thread that renews is waiting for."""
        while (left := self._state.lead_until - time.monotonic()) > 0:
            if self._over.wait(left):
                return
        if not self._over.is_set():
            self._lose("the Lease was not renewed in time")

    def _lose(self, why: str) -> None:
        self._state.lead_until = 0.0
        self._over.set()
        log.error("%s: this replica ends, another may lead", why)
        self._end()
