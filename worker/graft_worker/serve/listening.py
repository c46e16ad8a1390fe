"""Ports: claimed with a clear word where they cannot be had, then served by granian."""

from __future__ import annotations

import errno
import logging
import socket
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from graft_api.errors import ConfigError
from graft_worker.serve.settings import Limits

BACKLOG = 1024  # connections that the kernel holds
PRIVILEGED = 1024


def claim(host: str, port: int, *, flag: str) -> tuple[str, int]:
    """The numeric address and the port that are free to listen on; port 0 becomes any free one.

    Several listeners may share a port by the server's options: the second one is refused here.

    Raises:
        ConfigError: they cannot be had, and why.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
            found: tuple[Any, ...] = probe.getsockname()
            return str(found[0]), int(found[1])
    except OSError as error:
        raise _refused(host, port, error, flag) from None


def server(application: Any, *, address: tuple[str, int], limits: Limits) -> Server:
    """A server of this event loop: `await server.serve()`, and `server.stop()` to let it end.

    It closes connections whose headers do not come, and finishes answers when it stops.
    """
    logging.getLogger("_granian").setLevel(logging.ERROR)  # it warns that embedding is new
    return Server(
        application,
        address=address[0],
        port=address[1],
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        log_enabled=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=round(limits.header_seconds * 1000), max_buffer_size=65_536
        ),
    )


def _refused(host: str, port: int, error: OSError, flag: str) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            f"{flag} {port}: somebody listens there already",
            hint=f"end that program, or give another {flag}; 0 is any free one",
        )
    if error.errno == errno.EACCES and port < PRIVILEGED:
        return ConfigError(
            f"{flag} {port}: only root may listen below {PRIVILEGED}",
            hint=f"give a {flag} from {PRIVILEGED} on",
        )
    return ConfigError(
        f"--host {host}: cannot listen there: {error.strerror}",
        hint="127.0.0.1 serves this machine alone, 0.0.0.0 every network of it",
    )
