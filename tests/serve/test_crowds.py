"""More than it can take: refused at once, in bounded memory, and nobody else is held up."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.serve.crowd import Came, answer, at_once, connected, predict_request
from tests.serve.running import Running, running
from tests.worker.waiting import until

CLIENTS, EACH, ROUNDS, WARM = 60, 8, 12, 3
QUEUE = 16  # texts that may wait: those of two requests
GROWTH = 32 << 20  # bytes: of allocators that keep what they had, not of requests that are kept
TEXTS = tuple("the film was not good"[: 5 + i] for i in range(EACH))
LARGE = 33  # bodies of 1.9 MB: 64 MB hold no more
SLOW = 200  # connections that never finish their headers, and as many that never finish a body


def test_an_overload_is_refused_with_503_in_bounded_memory_and_the_server_ends_as_told(
    artefact: Path,
) -> None:
    async def story(server: Running) -> None:
        process = psutil.Process(server.process.pid)
        async with connected(server.port, CLIENTS) as clients:
            request = predict_request(*TEXTS)
            came = [each for _ in range(WARM) for each in await at_once(clients, request)]
            before = process.memory_info().rss
            for _ in range(ROUNDS):
                answers = asyncio.ensure_future(at_once(clients, request))
                waiting = await asyncio.to_thread(server.metric, "graft_serve_queue_depth")
                assert waiting <= QUEUE
                came += await answers
            assert process.memory_info().rss - before < GROWTH
            check_overload(server, came)
            server.process.send_signal(signal.SIGINT)
            assert {await reader.read() for reader, _ in clients} == {b""}  # closed, idle as it is

    with running(artefact, "--max-queue", str(QUEUE), "--timeout", "60") as server:
        asyncio.run(story(server))
        assert server.process.wait(60) == 0
    assert server.said[-1] == "graft: every accepted request is answered; ended\n"


def check_overload(server: Running, came: list[Came]) -> None:
    codes = Counter(each.status for each in came)
    assert set(codes) == {200, 503}
    assert all(1 <= (each.retry_after or 0) <= 5 for each in came if each.status == 503)
    refused = next(each for each in came if each.status == 503)
    assert refused.json["error"]["code"] == "queue_full"
    alone = server.predict(*TEXTS)
    for each in came:
        if each.status == 200:
            for one, other in zip(each.json["predictions"], alone, strict=True):
                assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)
    assert server.metric("graft_serve_rejected_total", reason="queue_full") == codes[503]
    assert server.metric("graft_serve_queue_depth") == 0


def test_clients_that_never_finish_hold_nobody_up_and_are_cut_off(server: Running) -> None:
    async def story() -> None:
        async with (
            connected(server.port, SLOW) as headers,
            connected(server.port, SLOW) as bodies,
            connected(server.port, 4) as good,
        ):
            for _, writer in headers:
                writer.write(b"POST /v1/predict HTTP/1.1\r\nhost: a\r\n")
            for _, writer in bodies:
                writer.write(predict_request("good")[:-2])
            for _ in range(20):
                came = await at_once(good, predict_request("good"))
                assert {each.status for each in came} == {200}
            assert {(await answer(reader)).status for reader, _ in bodies} == {408}
            for reader, _ in headers:
                assert not (await reader.read()).startswith(b"HTTP/1.1 2")

    asyncio.run(story())


def test_bodies_together_take_no_more_than_was_agreed(server: Running) -> None:
    def head(length: int) -> bytes:
        told = f"POST /v1/predict HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"
        return told.encode()

    async def story() -> None:
        async with connected(server.port, LARGE) as clients, connected(server.port, 1) as more:
            for _, writer in clients:
                writer.write(head(1_900_000))
            until(lambda: server.metric("graft_serve_in_flight") == LARGE)
            [refused] = await at_once(more, head(1_900_000))
            assert (refused.status, refused.json["error"]["code"]) == (503, "queue_full")
            assert len(server.predict("good")) == 1
        until(lambda: server.metric("graft_serve_in_flight") == 0)

    asyncio.run(story())


def test_what_a_client_gave_up_is_dropped_and_counted(server: Running) -> None:
    before = server.metric("graft_serve_cancelled_total")
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
            client.sendall(predict_request(*["the film was not good"] * 256))
    until(lambda: server.metric("graft_serve_cancelled_total") > before)
    until(lambda: server.metric("graft_serve_in_flight") == 0)
    until(lambda: server.metric("graft_serve_queue_depth") == 0)
    assert len(server.predict("good")) == 1
