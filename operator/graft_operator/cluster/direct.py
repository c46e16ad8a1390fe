"""A connection from the standard library alone: it starts in a tenth of the client's time.

For short commands whose context holds certificates or a token. What it does not know (exec
plugins, proxies, impersonation) is `connection`'s, with the client.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, urlsplit

from graft_api.errors import ConfigError

from .errors import RefusedError, UnreachableError
from .kubeconfig import HINT, Context
from .requests import JSON, Answer, Request

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
IDLE_SECONDS = 30.0  # older connections may have been closed by the other side
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def fits(context: Context, environ: Mapping[str, str]) -> bool:
    """Whether the context can be used without the client."""
    if not context.plain:
        return False
    if not any(environ.get(name) for name in PROXIES):
        return True
    from urllib.request import proxy_bypass

    return bool(proxy_bypass(urlsplit(context.server).hostname or ""))


class Direct:
    """Sends requests; usable from several threads at once."""

    def __init__(self, context: Context, *, user_agent: str) -> None:
        self.server = context.server
        self._at = _address(context)
        self._tls = _tls(context) if self._at.scheme == "https" else None
        self._headers = {"Accept": JSON, "User-Agent": user_agent}
        if token := context.token():
            self._headers["Authorization"] = f"Bearer {token}"
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []
        self._lock = threading.Lock()

    def send(self, request: Request, *, read_seconds: float = READ_SECONDS) -> Answer:
        """The server's answer, refusals included.

        Raises:
            UnreachableError: no answer came: refused, timed out, or an unfit certificate.
        """
        with self._told(request):
            connection, response = self._open(request, read_seconds)
            answer = Answer(
                code=response.status, data=response.read(), headers=dict(response.getheaders())
            )
            self._keep(connection, response)
            return answer

    def lines(self, request: Request, *, read_seconds: float | None = None) -> Iterator[str]:
        """The answer line by line as it comes, for logs that are followed and for watches.

        Raises:
            UnreachableError: as `send`.
            RefusedError: the server answered with a refusal.
        """
        with self._told(request):
            connection, response = self._open(request, read_seconds)
            try:
                if response.status >= 300:
                    answer = Answer(code=response.status, data=response.read())
                    raise RefusedError(request, answer)
                for line in response:
                    yield line.decode(errors="replace").rstrip("\r\n")
            finally:
                connection.close()

    def close(self) -> None:
        """Closes what is open and idle."""
        with self._lock:
            while self._idle:
                self._idle.pop()[1].close()

    def _open(
        self, request: Request, read_seconds: float | None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = self._connection()
        try:
            return connection, self._ask(connection, request, read_seconds)
        except (OSError, http.client.HTTPException):
            connection.close()
            raise

    def _ask(
        self, connection: http.client.HTTPConnection, request: Request, read_seconds: float | None
    ) -> http.client.HTTPResponse:
        if connection.sock is None:
            connection.connect()
        assert connection.sock is not None
        connection.sock.settimeout(read_seconds)
        headers = self._headers | {"Content-Type": request.content_type}
        body = None if request.body is None else json.dumps(request.body)
        connection.request(request.verb, self._at.path + request.path, body=body, headers=headers)
        return connection.getresponse()

    def _connection(self) -> http.client.HTTPConnection:
        with self._lock:
            while self._idle:
                since, connection = self._idle.pop()
                if time.monotonic() - since < IDLE_SECONDS:
                    return connection
                connection.close()
        host, port = self._at.hostname or "", self._at.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=self._tls)

    def _keep(
        self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        if response.will_close:
            connection.close()
            return
        with self._lock:
            self._idle.append((time.monotonic(), connection))

    @contextmanager
    def _told(self, request: Request) -> Iterator[None]:
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(self.server, request, _words(error)) from error


def _address(context: Context) -> SplitResult:
    at = urlsplit(context.server)
    if at.scheme in ("http", "https") and at.hostname:
        return at
    raise ConfigError(f"kubeconfig: server {context.server!r} is no http(s) address", hint=HINT)


def _tls(context: Context) -> ssl.SSLContext:
    try:
        return _credentials(context)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"kubeconfig: context {context.name}: unusable certificate or key: {error}", hint=HINT
        ) from None


def _credentials(context: Context) -> ssl.SSLContext:
    authority = context.authority()
    tls = ssl.create_default_context(cadata=authority.decode() if authority else None)
    # As kubectl: authorities of clusters often lack the extensions that the strict mode wants.
    tls.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if context.cluster.get("insecure-skip-tls-verify"):
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    if pem := context.certificate():
        handle, name = tempfile.mkstemp()  # the library reads keys from files only; mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
            tls.load_cert_chain(name)
        finally:
            with suppress(OSError):
                os.unlink(name)
    return tls


def _words(error: BaseException) -> str:
    if isinstance(error, socket.timeout):
        return "no answer in time"
    return str(error) or type(error).__name__
