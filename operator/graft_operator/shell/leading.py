"""One replica leads: it waits for the Lease, renews it, and ends at once when it is lost."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from graft_api.errors import GraftError
from graft_operator.cluster import leases
from graft_operator.cluster.connection import Connection
from graft_operator.cluster.requests import Ref
from graft_operator.settings import Settings

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
RENEW_DEADLINE = timedelta(seconds=10)


class Leader:
    """The Lease as this replica holds it."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._ref = Ref(kind="Lease", namespace=settings.namespace, name=leases.NAME)
        self._identity = settings.identity
        self._lease: leases.Lease | None = None
        self._gone = False
        self._turn = threading.Lock()  # of the two threads that write the Lease

    def wait(self) -> None:
        """Returns when this replica leads; from then on a thread renews the Lease."""
        while not self._try():
            time.sleep(RETRY_SECONDS)
        log.info("this replica leads")
        threading.Thread(target=self._renew, name="lease", daemon=True).start()

    def give_back(self) -> None:
        """Another replica may lead at once; called when nothing is written any more."""
        with self._turn:
            self._gone = True
            if self._lease is not None:
                with suppress(GraftError):
                    leases.take(self._connection, self._ref, self._lease, holder="")

    def _try(self) -> bool:
        try:
            found = leases.read(self._connection, self._ref)
            mine = found is not None and found.holder == self._identity
            if found is not None and not mine and not found.free(datetime.now(UTC)):
                return False
            self._lease = leases.take(self._connection, self._ref, found, holder=self._identity)
        except GraftError as error:
            log.warning("%s", error)
            return False
        return self._lease is not None

    def _renew(self) -> None:
        renewed = time.monotonic()
        while not self._gone:
            time.sleep(RETRY_SECONDS)
            with self._turn:
                held = self._gone or self._try()
            if held:
                renewed = time.monotonic()
            elif time.monotonic() - renewed > RENEW_DEADLINE.total_seconds() or self._taken():
                log.error("the Lease is lost: another replica may lead")
                os._exit(1)  # at once: a write after this could meet another leader's

    def _taken(self) -> bool:
        try:
            found = leases.read(self._connection, self._ref)
        except GraftError:
            return False
        return found is not None and found.holder != self._identity
