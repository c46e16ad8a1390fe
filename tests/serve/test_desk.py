"""The desk: never more waits than was agreed, and nobody's work is done for nothing."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from graft_worker.serve.desk import Desk
from graft_worker.serve.examples import Example
from graft_worker.serve.refusals import Refusal
from graft_worker.serve.results import Result
from graft_worker.serve.settings import Limits
from graft_worker.serve.tickets import Ticket


def examples(*lengths: int) -> list[Example]:
    return [
        Example(tokens=np.ones(length, np.uint32), types=np.zeros(length, np.uint8))
        for length in lengths
    ]


def answer(value: float) -> Result:
    vector = np.zeros(2, np.float32)
    return Result(prediction=value, scores=[value], vector=vector, tokens=4, cut=False)


def test_more_than_may_wait_is_refused_and_leaves_the_others_alone() -> None:
    async def story() -> None:
        desk = Desk(Limits(max_queue=3))
        desk.admit(Ticket(2), examples(4, 4), now=0.0)
        with pytest.raises(Refusal, match="2 texts wait, at most 3 may") as refused:
            desk.admit(Ticket(2), examples(4, 4), now=1.0)
        assert (refused.value.status, refused.value.code) == (503, "queue_full")
        assert refused.value.retry_after == 1
        assert len(desk) == 2

    asyncio.run(story())


def test_a_full_desk_says_so_before_a_request_is_read_and_has_room_when_somebody_left() -> None:
    async def story() -> None:
        desk = Desk(Limits(max_queue=2))
        desk.check_room()
        leaves = Ticket(2)
        desk.admit(leaves, examples(4, 4), now=0.0)
        with pytest.raises(Refusal, match="2 texts wait, at most 2 may") as refused:
            desk.check_room()
        assert (refused.value.status, refused.value.retry_after) == (503, 1)
        leaves.drop()
        assert desk.take(budget=512) == []
        desk.check_room()

    asyncio.run(story())


def test_what_nobody_waits_for_any_more_is_not_computed_and_takes_no_room() -> None:
    async def story() -> None:
        desk = Desk(Limits(max_queue=3))
        left, stays = Ticket(2), Ticket(1)
        desk.admit(left, examples(4, 4), now=0.0)
        desk.admit(stays, examples(4), now=0.0)
        left.drop()
        desk.admit(Ticket(2), examples(4, 4), now=1.0)
        batch = desk.take(budget=512)
        assert [each.arrived for each in batch] == [0.0, 1.0, 1.0]
        assert batch[0].ticket is stays
        assert desk.take(budget=512) == []

    asyncio.run(story())


def test_a_request_of_several_batches_gets_its_answers_in_its_own_order() -> None:
    async def story() -> None:
        desk, ticket = Desk(Limits(max_batch=2)), Ticket(3)
        desk.admit(ticket, examples(4, 40, 4), now=0.0)
        for _ in range(2):
            for each in desk.take(budget=512):
                ticket.answer(each.place, answer(each.place))
        assert [each.prediction for each in await ticket.whole] == [0.0, 1.0, 2.0]

    asyncio.run(story())


def test_a_request_fails_as_a_whole() -> None:
    async def story() -> None:
        ticket = Ticket(2)
        ticket.answer(0, answer(1.0))
        ticket.fail(Refusal(500, "no number"))
        ticket.answer(1, answer(1.0))
        with pytest.raises(Refusal, match="no number"):
            await ticket.whole

    asyncio.run(story())
