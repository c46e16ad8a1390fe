"""A request's place at the desk: its answers, as they come."""

from __future__ import annotations

import asyncio

from graft_worker.serve.results import Result


class Ticket:
    """Collects the answers to a request of N examples. Belongs to the event loop."""

    def __init__(self, examples: int) -> None:
        self._answers: dict[int, Result] = {}
        self._examples = examples
        self.whole: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()

    @property
    def ended(self) -> bool:
        """Answered, refused, or nobody waits for it any more."""
        return self.whole.done()

    def answer(self, place: int, result: Result) -> None:
        """One example is answered; the last one completes the request."""
        self._answers[place] = result
        if not self.ended and len(self._answers) == self._examples:
            self.whole.set_result([self._answers[each] for each in range(self._examples)])

    def fail(self, error: Exception) -> None:
        """The whole request is."""
        if not self.ended:
            self.whole.set_exception(error)

    def drop(self) -> None:
        """Nobody waits for it any more: what is not computed yet never will be."""
        self.whole.cancel()
