"""Clients that do not wait for answers: requests come when they come, at a given rate."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

from benchmarks.serving.clients import Client, Load


def offered(port: int, requests: Sequence[bytes], *, rate: float, seconds: float) -> Load:
    """What came back to requests that arrive at random, so many a second, for so long."""
    return asyncio.run(_offered(port, requests, rate, seconds))


async def _offered(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> Load:
    load, pool, left = Load(), [Client(port)], set[asyncio.Task[None]]()
    draw = random.Random(0)
    began = time.perf_counter()
    due, number = 0.0, 0
    while due < seconds:
        due += draw.expovariate(rate)
        # Late or not: answers are read between two requests, or connections would pile up.
        await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
        client = pool.pop() if pool else Client(port)
        task = asyncio.create_task(_one(client, requests[number % len(requests)], load, pool))
        left.add(task)
        task.add_done_callback(left.discard)
        number += 1
    load.seconds = time.perf_counter() - began
    await asyncio.gather(*left)
    for client in pool:
        client.close()
    return load


async def _one(client: Client, sent: bytes, load: Load, pool: list[Client]) -> None:
    began = time.perf_counter()
    try:
        status, _ = await client.ask(sent)
    except (OSError, EOFError):
        client.close()
        status = 0
    load.note(status, time.perf_counter() - began)
    pool.append(client)
