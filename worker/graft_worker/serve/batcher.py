"""Computes what waits, batch after batch, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from graft_worker.serve.desk import Desk, Waiting
from graft_worker.serve.examples import Example
from graft_worker.serve.loading import Served
from graft_worker.serve.meter import Meter
from graft_worker.serve.pace import Pace
from graft_worker.serve.refusals import Refusal, busy
from graft_worker.serve.results import Result, results
from graft_worker.serve.settings import Limits
from graft_worker.serve.tickets import Ticket

Clock = Callable[[], float]

STALLED = 5  # times the time-out: so long a batch is no longer slow, but stuck
PATIENCE = 10.0  # seconds below which nothing is called stuck

log = logging.getLogger(__name__)


class Batcher:
    """The desk, and who empties it. No wait for company: while a batch computes, others come."""

    def __init__(self, limits: Limits, meter: Meter, *, thread: Executor, clock: Clock) -> None:
        self.desk = Desk(limits)
        self._limits, self._meter = limits, meter
        self._thread, self._clock = thread, clock
        self.pace = Pace()
        self._came = asyncio.Event()
        self._busy_since = math.inf

    def check_room(self) -> None:
        """Returns where a text may come and has a chance of an answer in time.

        Raises:
            Refusal: 503, as many wait as may, or those who wait will take longer than the time-out.
        """
        self.desk.check_room()
        wait = self.pace.seconds(self.desk.tokens)
        if wait > self._limits.timeout:
            told = f"{len(self.desk)} texts wait for about {wait:.1f} s"
            raise busy(f"{told}, the time-out is {self._limits.timeout:g} s", code="too_slow")

    def ask(self, examples: Sequence[Example]) -> Ticket:
        """A ticket for examples that wait from now on.

        Raises:
            Refusal: 503, too many wait already.
        """
        ticket = Ticket(len(examples))
        self.desk.admit(ticket, examples, now=self._clock())
        self._came.set()
        return ticket

    def stalled(self) -> bool:
        """Whether one batch computes for so long that the process had better be started anew."""
        return self._clock() - self._busy_since > max(STALLED * self._limits.timeout, PATIENCE)

    async def run(self, served: Served) -> None:
        """Answers what waits, for ever."""
        while True:
            await self._came.wait()
            self._came.clear()
            while batch := self.desk.take(budget=served.budget):
                await self._answer(served, batch)

    async def _answer(self, served: Served, batch: Sequence[Waiting]) -> None:
        start = self._busy_since = self._clock()
        examples = [each.example for each in batch]
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._thread, served.engine.compute, examples)
            ended = self._clock()
            found = results(served, examples, answers)
        except Exception as error:  # one batch must not end the server
            log.exception("a batch of %d failed", len(batch))
            for each in batch:
                each.ticket.fail(error)
        else:
            self._meter.batch(batch, began=start, ended=ended)
            _deliver(batch, found)
            now = self._clock()
            self._meter.step("postprocess", now - ended)
            self.pace.note(sum(map(len, examples)), now - start)
        finally:
            self._busy_since = math.inf


def _deliver(batch: Sequence[Waiting], found: Sequence[Result | None]) -> None:
    for waiting, result in zip(batch, found, strict=True):
        if result is None:
            waiting.ticket.fail(Refusal(500, "the model's answer is no number", code="not_finite"))
        else:
            waiting.ticket.answer(waiting.place, result)
