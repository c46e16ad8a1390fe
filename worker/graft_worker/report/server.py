"""The HTTP server of a worker: pages that are read, and actions that are asked for."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

import psutil

from graft_api.errors import ConfigError
from graft_api.vocabulary import Env

SLOW_SECONDS = 5.0  # a client that neither sends nor takes for so long is cut off
PRIVILEGED_PORTS = 1024
BODY = 65_536  # bytes of a request that are read, to be dropped

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen: this machine alone, or 0.0.0.0 in a pod; port 0 is any free port."""

    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


Pages = Mapping[str, Callable[[], Page]]
Actions = Mapping[str, Callable[[Message], Page]]

NOT_FOUND = Page(body=b"not found\n", status=HTTPStatus.NOT_FOUND)
NO_ACTION = Page(body=b"only to be read\n", status=HTTPStatus.METHOD_NOT_ALLOWED)


class Server:
    """Serves pages, each made when it is asked for, from threads that end with the process.

    `actions` take the headers of a POST.

    Raises:
        ConfigError: the address cannot be had; names who holds it and which variable to change.
    """

    def __init__(
        self,
        pages: Pages,
        *,
        address: Address,
        actions: Actions | None = None,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        self._server = _bound(partial(_Handler, pages, actions or {}, slow_seconds), address)
        self.address = Address(host=address.host, port=self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="report-server", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """The port is free again."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_version = "graft"
    sys_version = ""

    def __init__(
        self, pages: Pages, actions: Actions, slow_seconds: float, *connection: Any
    ) -> None:
        self._pages = pages
        self._actions = actions
        self._slow_seconds = slow_seconds
        with suppress(ConnectionError, TimeoutError):  # a client that went away is no news
            super().__init__(*connection)

    def setup(self) -> None:
        """Gives up on a connection that stands still."""
        self.request.settimeout(self._slow_seconds)
        super().setup()

    def do_GET(self) -> None:
        make = self._pages.get(self._place())
        self._answer(make() if make else NOT_FOUND)

    def do_POST(self) -> None:
        place = self._place()
        self._drop_body()
        if action := self._actions.get(place):
            self._answer(action(self.headers))
        else:
            self._answer(NO_ACTION if place in self._pages else NOT_FOUND)

    def _place(self) -> str:
        return self.path.partition("?")[0]

    def _drop_body(self) -> None:
        # What is left unread would reset the connection before the answer is taken.
        length = self.headers.get("Content-Length") or ""
        if length.isdigit():
            self.rfile.read(min(int(length), BODY))

    def _answer(self, page: Page) -> None:
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.end_headers()
        self.wfile.write(page.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's name)
        logger.debug(format, *args)


def _bound(handler: Any, address: Address) -> ThreadingTCPServer:
    # Not HTTPServer: it looks up the host's name, which takes seconds where there is no DNS.
    server = ThreadingTCPServer((address.host, address.port), handler, bind_and_activate=False)
    server.allow_reuse_address = True
    server.daemon_threads = True
    server.block_on_close = False
    try:
        server.server_bind()
        server.server_activate()
    except OSError as error:
        server.server_close()
        raise _refused(address, error) from None
    return server


def _refused(address: Address, error: OSError) -> ConfigError:
    place = f"{Env.METRICS_PORT}={address.port}"
    if error.errno == errno.EADDRINUSE:
        return ConfigError(
            f"{place}: the port is in use on {address.host}, held by {_holder(address.port)}",
            hint=f"stop it, or set {Env.METRICS_PORT} to another port or to 0 for any free one",
        )
    if error.errno == errno.EACCES and address.port < PRIVILEGED_PORTS:
        return ConfigError(
            f"{place}: only root may listen below {PRIVILEGED_PORTS}",
            hint=f"set {Env.METRICS_PORT} to a port from {PRIVILEGED_PORTS} on",
        )
    return ConfigError(
        f"{place}: cannot listen on {address.host}: {error.strerror}",
        hint="127.0.0.1 serves this machine alone, 0.0.0.0 every network of it",
    )


def _holder(port: int) -> str:
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN
            if listens and connection.pid and connection.laddr[1:] == (port,):
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    return "a process of another user, maybe another job's worker or a metrics agent"
