"""`python -m graft_worker rendezvous`: where the nodes of a gang meet, in a pod of its own.

No worker hosts the store, so that losing any of them is not losing the gang. It also tells its
time, by which launchers find out whether their own clocks are fit.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from types import FrameType

from torch.distributed import TCPStore  # type: ignore[attr-defined]  # it is documented there

from graft_api.errors import ConfigError
from graft_api.vocabulary import Env, ExitCode, Port
from graft_worker.report.server import Address, Page, Server

from . import clocks

READ_SECONDS = timedelta(seconds=60)
EVERYWHERE = "0.0.0.0"  # noqa: S104  (a pod's own network; a NetworkPolicy says who may come)

log = logging.getLogger(__name__)


def main(environ: Mapping[str, str]) -> int:
    """The exit code, after SIGTERM or SIGINT.

    Raises:
        ConfigError: a port cannot be had.
    """
    stop = threading.Event()
    _stopped_by(stop, signal.SIGTERM, signal.SIGINT)
    store = _store(_port(environ, Env.RENDEZVOUS_PORT, Port.RENDEZVOUS))
    health = _health(_port(environ, Env.RENDEZVOUS_HEALTH_PORT, Port.RENDEZVOUS_HEALTH))
    log.info("rendezvous store on port %d, /healthz on %d", store.port, health.address.port)
    while not stop.wait(clocks.PERIOD):
        clocks.tell(store, time.time())
    return ExitCode.DONE


def _stopped_by(stop: threading.Event, *numbers: signal.Signals) -> None:
    def heard(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in numbers:
        signal.signal(number, heard)


def _store(port: int) -> TCPStore:
    try:
        return TCPStore(
            EVERYWHERE,
            port,
            is_master=True,
            wait_for_workers=False,
            multi_tenant=True,
            timeout=READ_SECONDS,
        )
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"{Env.RENDEZVOUS_PORT}={port}: cannot listen: {reason}") from None


def _health(port: int) -> Server:
    pages = {"/healthz": lambda: Page(body=b"ok\n")}
    return Server(pages, address=Address(host=EVERYWHERE, port=port))


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(int(default))
    if not text.isdigit():
        raise ConfigError(f"{name}={text!r}: expected a port")
    return int(text)
