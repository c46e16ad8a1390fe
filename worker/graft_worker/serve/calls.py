"""One request that the model has to answer, from its body to its results."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from graft_worker.serve import fields
from graft_worker.serve.asgi import Receive, Scope, gone, header, read_json
from graft_worker.serve.examples import Example
from graft_worker.serve.fields import Texts
from graft_worker.serve.loading import Served
from graft_worker.serve.refusals import ClientGone, Refusal, malformed
from graft_worker.serve.results import Result
from graft_worker.serve.service import Service
from graft_worker.serve.tickets import Ticket

DEADLINE = "x-request-timeout-ms"
SHORT = 16_384  # characters that are tokenised at once; more would hold up the others


class Call:
    """A request to `served`; its time runs from now on."""

    def __init__(self, service: Service, served: Served, scope: Scope, receive: Receive) -> None:
        self.served = served
        self.most = service.settings.limits.max_queue
        self._service, self._scope, self._receive = service, scope, receive
        self._start = service.clock()

    async def body(self) -> dict[str, Any]:
        """The JSON object that was sent.

        Raises:
            Refusal: there is none, see `asgi.read_json` and `fields.parsed`.
        """
        return fields.parsed(
            await read_json(self._scope, self._receive, self._service.settings.limits)
        )

    async def results(self, texts: Texts) -> list[Result]:
        """What the model says of the texts, in their order.

        Raises:
            Refusal: 503, too many wait; 504, not in time.
            ClientGone: nobody waits for it.
        """
        seconds = _seconds(self._scope, self._service.settings.limits.timeout)
        examples = await self._read(texts)
        ticket = self._service.batcher.ask(examples)
        found = await self._wait(ticket, seconds)
        self._measure(examples, found)
        return found

    async def _read(self, texts: Texts) -> list[Example]:
        read = self.served.reader.read
        start = self._service.clock()
        long = sum(len(text) for each in texts for text in each) > SHORT
        examples = await asyncio.to_thread(read, texts) if long else read(texts)
        self._service.meter.step("preprocess", self._service.clock() - start)
        return examples

    async def _wait(self, ticket: Ticket, seconds: float) -> list[Result]:
        rest = max(0.0, self._start + seconds - self._service.clock())
        refusal = Refusal(504, f"no answer within {seconds:g} s", code="deadline")
        late = asyncio.get_running_loop().call_later(rest, ticket.fail, refusal)
        left = asyncio.ensure_future(gone(self._receive))
        left.add_done_callback(lambda _: ticket.fail(ClientGone()))
        try:
            return await ticket.whole
        finally:
            late.cancel()
            left.cancel()
            ticket.drop()

    def _measure(self, examples: Sequence[Example], found: Sequence[Result]) -> None:
        meter = self._service.meter
        for example, result in zip(examples, found, strict=True):
            meter.size("input_length_tokens", len(example))
            meter.size("input_unknown_token_ratio", self.served.reader.unknown_share(example))
            if self.served.artefact.labels:
                meter.size("score", max(result.scores))


def _seconds(scope: Scope, most: float) -> float:
    """How long the client is ready to wait, the server's own time-out at most."""
    told = header(scope, DEADLINE)
    if told is None:
        return most
    if not (told.isascii() and told.isdigit() and int(told[:12]) > 0):
        raise malformed(f"{DEADLINE}: expected milliseconds, a whole number from 1")
    return min(int(told[:12]) / 1000, most)
