"""The life of a server: it listens, loads, answers, and ends without losing what it accepted."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from graft_api.errors import GraftError
from graft_worker.serve import listening, loading
from graft_worker.serve.app import Application
from graft_worker.serve.metrics_page import MetricsPage
from graft_worker.serve.service import Service
from graft_worker.serve.settings import Settings

Address = tuple[str, int]

CLOSING = 5.0  # seconds for the last answers to leave

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A server whose model is ready."""

    served: loading.Served
    address: Address
    metrics: Address


def serve(settings: Settings, *, ready: Callable[[Up], None]) -> None:
    """Serves until SIGTERM or SIGINT; calls `ready` when requests may come.

    Raises:
        ConfigError: a port cannot be had, or this version cannot serve the artefact.
        StoreError: the artefact is damaged. Not raised where `settings.stay`: then the server
            stays up, never becomes ready and says why.
    """
    public = listening.claim(settings.host, settings.port, flag="--port")
    private = listening.claim(settings.host, settings.metrics_port, flag="--metrics-port")
    asyncio.run(_serve(settings, (public, private), ready))


async def _serve(
    settings: Settings, addresses: tuple[Address, Address], ready: Callable[[Up], None]
) -> None:
    asked = _asked_to_end()
    with ThreadPoolExecutor(1, thread_name_prefix="inference") as thread:
        service = Service(settings, thread=thread, clock=time.monotonic)
        async with _listening(service, addresses) as servers:
            working = asyncio.ensure_future(_work(service, thread, addresses, ready))
            ended = asyncio.ensure_future(asked.wait())
            tasks: list[asyncio.Future[Any]] = [working, ended, *servers]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            for task in done:
                task.result()  # raises what ended it
            await _drain(service)
            working.cancel()


async def _work(
    service: Service,
    thread: ThreadPoolExecutor,
    addresses: tuple[Address, Address],
    ready: Callable[[Up], None],
) -> None:
    loop = asyncio.get_running_loop()
    try:
        served = await loop.run_in_executor(thread, loading.load, service.settings)
    except Exception as error:  # whatever it is, a pod says so at /v2/health/ready
        if not service.settings.stay:
            raise
        known = isinstance(error, GraftError)
        service.breaks(str(error) if known else f"{type(error).__name__}: {error}")
        log.error("not ready, and never will be: %s", error, exc_info=not known)
        await asyncio.Event().wait()  # until it is told to end
        return
    service.opens(served)
    ready(Up(served=served, address=addresses[0], metrics=addresses[1]))
    await service.batcher.run(served)


async def _drain(service: Service) -> None:
    """Not ready at once; new requests for as long as routers may send them; then the rest."""
    ending = service.settings.ending
    service.turns_away()
    await asyncio.sleep(ending.linger)
    service.closes()
    with suppress(TimeoutError):
        async with asyncio.timeout(ending.drain):
            await service.idle()
            return
    log.warning("%d requests were not answered within %g s", service.in_flight, ending.drain)


@asynccontextmanager
async def _listening(
    service: Service, addresses: tuple[Address, Address]
) -> AsyncIterator[Sequence[asyncio.Future[Any]]]:
    limits = service.settings.limits
    applications = (Application(service), MetricsPage(service))
    servers = [
        listening.server(application, address=address, limits=limits)
        for application, address in zip(applications, addresses, strict=True)
    ]
    tasks = [asyncio.ensure_future(server.serve()) for server in servers]
    try:
        yield tasks
    finally:
        for server in servers:
            server.stop()
        await asyncio.wait(tasks, timeout=CLOSING)  # answers that are not out by then never will be


def _asked_to_end() -> asyncio.Event:
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    return asked
