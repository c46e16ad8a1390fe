"""Requests of the operator: limited, repeated while the server is busy, counted, fenced."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator

from graft_operator import metrics
from graft_operator.cluster.connection import Connection, RefusedError, UnreachableError
from graft_operator.cluster.errors import NotLeadingError
from graft_operator.cluster.requests import Answer, Object, Ref, Request, get

BUSY = (429, 500, 502, 503, 504)
TRIES = 6
LONGEST_PAUSE = 8.0
PAGE = 500


class Bucket:
    """A token bucket: `take` waits until the rate allows another request."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = 0.0
        self._lock = threading.Lock()

    def take(self) -> float:
        """The seconds that it waited."""
        with self._lock:
            now = time.monotonic()
            # One second's worth may go at once after a quiet time.
            self._next = max(self._next, now - 1.0) + self._interval
            pause = self._next - now
        if pause > 0:
            time.sleep(pause)
        return max(pause, 0.0)


class Sender:
    """Sends from many threads; answers of a busy server are asked for again, with pauses.

    Nothing but reads is sent, not for a second time either, while this replica does not lead.
    """

    def __init__(
        self, connection: Connection, *, per_second: float, leads: Callable[[], bool]
    ) -> None:
        self.connection = connection
        self._bucket = Bucket(per_second)
        self._leads = leads

    def send(self, request: Request) -> Answer:
        """The server's answer, after as many tries as it takes to find it not busy.

        Raises:
            UnreachableError: it did not answer at all, or was busy to the end.
            NotLeadingError: another replica may lead, which may write now.
        """
        for attempt in range(TRIES):
            answer = self._once(request)
            if answer.code not in BUSY:
                return answer
            time.sleep(_pause(answer, attempt))
        raise UnreachableError(self.connection.server, request, f"busy: {answer.message()}")

    def items(self, ref: Ref, *, selector: str = "") -> Iterator[Object]:
        """The objects of a collection, asked for page by page.

        Raises:
            UnreachableError: as `send`.
            RefusedError: the server refused the list.
        """
        more = ""
        while True:
            request = get(ref, query={"labelSelector": selector, "limit": PAGE, "continue": more})
            answer = self.send(request)
            if not answer.ok:
                raise RefusedError(request, answer)
            page = answer.json()
            yield from page.get("items") or ()
            more = page["metadata"].get("continue") or ""
            if not more:
                return

    def _once(self, request: Request) -> Answer:
        metrics.API_THROTTLED.inc(self._bucket.take())
        if request.verb != "GET" and not self._leads():
            raise NotLeadingError(request)
        began = time.monotonic()
        code = "none"
        try:
            answer = self.connection.send(request)
            code = str(answer.code)
            return answer
        finally:
            metrics.API_REQUESTS.labels(request.verb, request.kind, code).inc()
            seconds = time.monotonic() - began
            metrics.API_SECONDS.labels(request.verb, request.kind).observe(seconds)


def _pause(answer: Answer, attempt: int) -> float:
    wanted = answer.headers.get("Retry-After", "")
    pause = float(wanted) if wanted.isdigit() else min(0.1 * 2**attempt, LONGEST_PAUSE)
    return pause * random.uniform(1.0, 1.5)
