"""A server that is told to end finishes what it accepted, and tells routers to look elsewhere."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.serve.crowd import answer, connected, predict_request
from tests.serve.running import Running, running
from tests.worker.waiting import until

CLIENTS, EACH = 40, 100
MANY = ("--max-queue", str(CLIENTS * EACH), "--timeout", "120", "--max-batch", "4")


def test_every_accepted_request_is_answered_before_the_end(artefact: Path) -> None:
    async def story(server: Running) -> None:
        async with connected(server.port, CLIENTS) as clients:
            for _, writer in clients:
                writer.write(predict_request(*["the film was not good"] * EACH))
            while server.metric("graft_serve_in_flight") < CLIENTS:
                assert server.metric("graft_serve_requests_total", endpoint="/v1/predict") == 0
            server.process.send_signal(signal.SIGTERM)
            came = await asyncio.gather(*(answer(reader) for reader, _ in clients))
            assert [each.status for each in came] == [200] * CLIENTS
            assert {len(each.json["predictions"]) for each in came} == {EACH}

    with running(artefact, *MANY) as server:
        asyncio.run(story(server))
        assert server.process.wait(60) == 0


def test_a_router_that_minds_readiness_loses_no_request(artefact: Path) -> None:
    def load(server: Running) -> Iterator[int]:
        """Asks as long as the server is ready."""
        while server.ask("GET", "/v2/health/ready").status == 200:
            yield server.ask("POST", "/v1/predict", {"texts": ["good", "bad"]}).status

    ending = ("--linger", "2")
    with running(artefact, *ending, program="graft_worker.serve") as server:
        with ThreadPoolExecutor(6) as clients:
            loads = [clients.submit(list, load(server)) for _ in range(6)]
            until(lambda: server.metric("graft_serve_in_flight") > 0)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: server.ask("GET", "/v2/health/ready").status == 503)
            reply = server.ask("GET", "/v2/health/ready")
            assert reply.json == {
                "ready": False,
                "broken": False,
                "error": "the server is about to end",
            }
            assert len(server.predict("good")) == 1  # who does not know yet is answered still
            codes = [code for each in loads for code in each.result()]
        assert set(codes) == {200}
        assert server.process.wait(60) == 0
