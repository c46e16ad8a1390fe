"""Logs as they are written: every pod of a job by a thread of its own, new pods as they come."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

from graft_cli import screen
from graft_cli.endings import EndedError, Ending
from graft_operator.cluster import reading
from graft_operator.cluster.requests import Ref
from graft_operator.observed import Pod

from . import children, view
from .api import Api
from .logs import Wish, request
from .naming import Found
from .watching import Gone, Seen, changes

RETRIES = 5


class Tail:
    """The lines of a job's pods until the job ends and every pod has fallen silent."""

    def __init__(self, api: Api, found: Found, wish: Wish) -> None:
        self._api, self._found, self._wish = api, found, wish
        self._told: queue.Queue[str | EndedError | None] = queue.Queue()  # None: look again
        self._open: set[str] = set()
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self._over = view.ending(found.raw) is not None

    def lines(self, pods: tuple[Pod, ...]) -> Iterator[str]:
        """Every line, prefixed; `pods` are those that are there already.

        Raises:
            EndedError: the server refuses, or is gone.
        """
        for pod in pods:
            self._take(pod)
        if not self._over:
            for work in (self._watch_pods, self._watch_job):
                threading.Thread(target=self._guarded, args=(work,), daemon=True).start()
        while not self._done():
            word = self._told.get()
            if isinstance(word, EndedError):
                raise word
            if word is not None:
                yield word

    def _done(self) -> bool:
        with self._lock:
            return self._over and not self._open and self._told.empty()

    def _take(self, pod: Pod) -> None:
        """Opens the pod's log when it is wanted and has begun."""
        with self._lock:
            if pod.uid in self._known or not pod.started or not self._wish.takes(pod):
                return
            self._known.add(pod.uid)
            self._open.add(pod.uid)
        threading.Thread(target=self._read, args=(pod,), daemon=True).start()

    def _watch_pods(self) -> None:
        ref = Ref(kind="Pod", namespace=self._api.namespace)
        for change in changes(self._api, ref, selector=children.selector(self._found)):
            if isinstance(change, Seen):
                self._take(reading.pod(change.raw))

    def _watch_job(self) -> None:
        for change in changes(self._api, self._found.ref):
            gone = isinstance(change, Gone)
            if gone or (isinstance(change, Seen) and view.ending(change.raw) is not None):
                with self._lock:
                    self._over = True
                self._told.put(None)
                return

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except EndedError as error:
            self._told.put(error)

    def _read(self, pod: Pod) -> None:
        last, prefix = "", children.short(pod)
        for attempt in range(RETRIES):
            try:
                last = self._stream(pod, prefix, last)
                break
            except EndedError as error:
                if error.code != Ending.UNREACHABLE or attempt == RETRIES - 1:
                    screen.say(f"graft: [{prefix}] {error.message}")
                    break
                time.sleep(1 + attempt)
        with self._lock:
            self._open.discard(pod.uid)
        self._told.put(None)

    def _stream(self, pod: Pod, prefix: str, last: str) -> str:
        """Tells the lines after the time `last`; the time of the newest."""
        tail = None if last else self._wish.tail
        asked = request(pod, self._api.namespace, follow=True, tail=tail, since=last)
        for line in self._api.lines(asked):
            stamp, _, text = line.partition(" ")
            if stamp > last:
                last = stamp
                self._told.put(f"[{prefix}] {text}")
        return last
