"""The desk: what waits, in the order in which it came, and never more than was agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graft_worker.serve.choosing import together
from graft_worker.serve.examples import Example
from graft_worker.serve.refusals import Refusal, busy
from graft_worker.serve.settings import Limits
from graft_worker.serve.tickets import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One example of a request; `place` is its number in it."""

    example: Example
    ticket: Ticket
    place: int
    arrived: float


class Desk:
    """Examples that wait. Belongs to the event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: list[Waiting] = []
        self.tokens = 0  # that wait

    def __len__(self) -> int:
        return len(self._waiting)

    def check_room(self) -> None:
        """Returns where a text may come. Asked before a request is read: to refuse has to be cheap.

        Those whose time is up count until the next batch is taken.

        Raises:
            Refusal: 503, as many wait as may.
        """
        if len(self._waiting) >= self._limits.max_queue:
            raise self._full()

    def admit(self, ticket: Ticket, examples: Sequence[Example], *, now: float) -> None:
        """The examples wait from now on.

        Raises:
            Refusal: 503, too many wait already; none of these does then.
        """
        self._drop_ended()
        if len(self._waiting) + len(examples) > self._limits.max_queue:
            raise self._full()
        self._waiting += [
            Waiting(example=example, ticket=ticket, place=place, arrived=now)
            for place, example in enumerate(examples)
        ]
        self.tokens += sum(map(len, examples))

    def take(self, *, budget: int) -> list[Waiting]:
        """The next batch, which no longer waits; [] where nothing does."""
        self._drop_ended()
        if not self._waiting:
            return []
        lengths = [len(each.example) for each in self._waiting]
        chosen = together(lengths, most=self._limits.max_batch, tokens=budget)
        batch = [self._waiting[place] for place in chosen]
        left = set(range(len(lengths))).difference(chosen)
        self._keep([self._waiting[place] for place in sorted(left)])
        return batch

    def _full(self) -> Refusal:
        told = f"{len(self._waiting)} texts wait, at most {self._limits.max_queue} may"
        return busy(told, code="queue_full")

    def _drop_ended(self) -> None:
        """Nobody waits for some any more: their time is up, or the client has gone."""
        self._keep([each for each in self._waiting if not each.ticket.ended])

    def _keep(self, waiting: list[Waiting]) -> None:
        self._waiting = waiting
        self.tokens = sum(len(each.example) for each in waiting)
