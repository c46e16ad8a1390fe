"""Whether those who wait have a chance of an answer in time."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from graft_worker.serve.batcher import Batcher
from graft_worker.serve.examples import Example
from graft_worker.serve.meter import Meter
from graft_worker.serve.pace import Pace
from graft_worker.serve.refusals import Refusal
from graft_worker.serve.settings import Limits


def example(length: int) -> Example:
    return Example(tokens=np.ones(length, np.uint32), types=np.zeros(length, np.uint8))


def test_the_pace_is_that_of_the_usual_batch_of_late() -> None:
    pace = Pace()
    assert pace.seconds(1000) == 0.0  # nothing is known: nobody is refused for it
    for seconds in (0.1, 0.1, 9.0, 0.1):
        pace.note(100, seconds)
    assert pace.seconds(1000) == pytest.approx(1.0)
    for _ in range(5):
        pace.note(100, 0.3)
    assert pace.seconds(1000) == pytest.approx(3.0)


def test_who_would_wait_longer_than_the_time_out_is_refused_at_once() -> None:
    async def story() -> None:
        with ThreadPoolExecutor(1) as thread:
            batcher = Batcher(Limits(timeout=1.0), Meter(), thread=thread, clock=time.monotonic)
            batcher.pace.note(100, 1.0)
            batcher.ask([example(60)])
            batcher.check_room()
            batcher.ask([example(60)])
            with pytest.raises(
                Refusal, match=r"2 texts wait for about 1\.2 s, the time-out is 1 s"
            ):
                batcher.check_room()
            assert len(batcher.desk.take(budget=512)) == 2
            batcher.check_room()  # nobody waits

    asyncio.run(story())
