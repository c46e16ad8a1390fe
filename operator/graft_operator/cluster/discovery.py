"""Which APIs the cluster serves beside its own; asked seldom: they come and go by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable

from graft_operator.cluster.requests import Request
from graft_operator.cluster.sending import Sender
from graft_operator.observed import Apis

KEPT_SECONDS = 300.0
ROUTES = ("/apis/gateway.networking.k8s.io/v1", "httproutes")
SCALED_OBJECTS = ("/apis/keda.sh/v1alpha1", "scaledobjects")
POD_METRICS = "/apis/custom.metrics.k8s.io"  # what it tells of, it lists only once it is there


class Discovery:
    """Remembers the answer for all threads; `clock` counts seconds from anywhere."""

    def __init__(self, sender: Sender, *, clock: Callable[[], float]) -> None:
        self._sender = sender
        self._clock = clock
        self._lock = threading.Lock()
        self._known = Apis()
        self._until: float | None = None  # None: nobody has asked yet

    def apis(self) -> Apis:
        """What is served, as it was five minutes ago at most.

        Raises:
            UnreachableError: the server does not answer.
        """
        with self._lock:
            if self._until is None or self._clock() >= self._until:
                self._known = self._asked(self._known)
                self._until = self._clock() + KEPT_SECONDS
            return self._known

    def _asked(self, known: Apis) -> Apis:
        return Apis(
            routes=self._serves(*ROUTES, known=known.routes),
            scaled_objects=self._serves(*SCALED_OBJECTS, known=known.scaled_objects),
            pod_metrics=self._serves(POD_METRICS, known=known.pod_metrics),
        )

    def _serves(self, path: str, resource: str = "", *, known: bool) -> bool:
        """Whether the resource is listed there, or the group is there at all.

        As before where the server does not say.
        """
        answer = self._sender.send(Request(verb="GET", path=path, kind="APIResourceList"))
        if answer.code == 404:
            return False
        if not answer.ok:
            return known
        if not resource:
            return True
        return any(each["name"] == resource for each in answer.json().get("resources") or ())
