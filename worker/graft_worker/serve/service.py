"""What a server is at the moment: loading, ready, about to end, or with an unfit model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from graft_worker.serve.batcher import Batcher
from graft_worker.serve.loading import Served
from graft_worker.serve.meter import Meter
from graft_worker.serve.refusals import busy
from graft_worker.serve.settings import Settings


class Service:
    """The state of a server, and who computes for it. Belongs to the event loop."""

    def __init__(self, settings: Settings, *, thread: Executor, clock: Callable[[], float]) -> None:
        self.settings, self.clock = settings, clock
        self.meter = Meter()
        self.batcher = Batcher(settings.limits, self.meter, thread=thread, clock=clock)
        self.in_flight = 0
        self._bytes = 0
        self._served: Served | None = None
        self._why_not = "the model is being loaded"
        self._broken = False
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def why_not_ready(self) -> str:
        """Why no traffic should come; empty where it should."""
        return self._why_not

    @property
    def broken(self) -> bool:
        """Whether the model can never be served."""
        return self._broken

    @property
    def closed(self) -> bool:
        """Whether new requests are refused, for the server is about to end."""
        return self._closed

    def served(self) -> Served:
        """The model.

        Raises:
            Refusal: 503, there is none yet, or it cannot be served, or the server ends.
        """
        if self._served is None or self._closed:
            raise busy(self._why_not, code="not_ready")
        return self._served

    def opens(self, served: Served) -> None:
        """The model is proven: traffic may come."""
        self._served, self._why_not = served, ""
        self.meter.loaded(served)

    def breaks(self, why: str) -> None:
        """The model cannot be served."""
        self._why_not, self._broken = why, True

    def turns_away(self) -> None:
        """No traffic should come any more; what comes all the same is answered."""
        self._why_not = "the server is about to end"

    def closes(self) -> None:
        """New requests are refused; those accepted are answered."""
        self._closed = True

    @contextmanager
    def request(self, length: int) -> Iterator[None]:
        """One more request in flight, whose body has at most so many bytes.

        Raises:
            Refusal: 503, there are too many, or all of them together are too long.
        """
        limits = self.settings.limits
        if self.in_flight >= limits.in_flight:
            raise busy(f"{self.in_flight} requests are in flight", code="queue_full")
        if self._bytes + length > limits.bodies:
            raise busy(f"{self._bytes:,} bytes are in flight", code="queue_full")
        self.in_flight += 1
        self._bytes += length
        self._idle.clear()
        try:
            yield
        finally:
            self.in_flight -= 1
            self._bytes -= length
            if not self.in_flight:
                self._idle.set()

    async def idle(self) -> None:
        """Returns when no request is in flight."""
        await self._idle.wait()

    def refresh(self) -> None:
        """Writes what is true at the moment into the gauges."""
        self.meter.set("ready", 0 if self._why_not else 1)
        self.meter.set("queue_depth", len(self.batcher.desk))
        self.meter.set("in_flight", self.in_flight)
