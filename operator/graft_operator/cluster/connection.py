"""A connection to an API server: the synchronous client, raw JSON, many threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import incluster_config, kube_config
from kubernetes.config.config_exception import ConfigException

from graft_api.errors import ConfigError

from .errors import RefusedError, UnreachableError
from .kubeconfig import in_cluster
from .requests import JSON, Answer, Request

__all__ = ["Connection", "RefusedError", "UnreachableError", "connect"]

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0


class Connection:
    """Sends requests; usable from as many threads at once as it was made for."""

    def __init__(self, configuration: Configuration, *, threads: int, user_agent: str) -> None:
        configuration.connection_pool_maxsize = threads
        # Retries are decided where the request is known: the client would repeat some blindly.
        configuration.retries = False
        self._client = ApiClient(configuration)
        self._agent = user_agent

    @property
    def server(self) -> str:
        """Address of the API server."""
        return str(self._client.configuration.host)

    def send(self, request: Request, *, read_seconds: float = READ_SECONDS) -> Answer:
        """The server's answer, refusals included.

        Raises:
            UnreachableError: no answer came: refused, timed out, or an unfit certificate.
        """
        with self._told(request):
            connect_seconds = min(CONNECT_SECONDS, read_seconds)
            raw = self._raw(request, (connect_seconds, read_seconds))
            return Answer(code=raw.status, data=raw.read(), headers=dict(raw.headers))

    def lines(self, request: Request, *, read_seconds: float | None = None) -> Iterator[str]:
        """The answer line by line as it comes, for logs that are followed and for watches.

        Raises:
            UnreachableError: as `send`.
            RefusedError: the server answered with a refusal.
        """
        with self._told(request):
            raw = self._raw(request, (CONNECT_SECONDS, read_seconds))
            if raw.status >= 300:
                raise RefusedError(request, Answer(code=raw.status, data=raw.read()))
            try:
                yield from _lines(raw)
            finally:
                raw.release_conn()

    def _raw(self, request: Request, timeout: tuple[float, float | None]) -> Any:
        headers = {"Content-Type": request.content_type, "Accept": JSON, "User-Agent": self._agent}
        setting = self._client.configuration.auth_settings().get("BearerToken")
        if setting and setting["value"]:
            headers["authorization"] = str(setting["value"])
        url = self.server + request.path
        return self._client.call_api(
            request.verb, url, headers, request.body, _request_timeout=timeout
        ).response

    @contextmanager
    def _told(self, request: Request) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise UnreachableError(self.server, request, _root(error)) from error


def connect(
    environ: Mapping[str, str], *, threads: int, user_agent: str, context: str | None = None
) -> Connection:
    """A connection to the cluster that this process runs in, or that KUBECONFIG names.

    Raises:
        ConfigError: there is neither, or the file or its context cannot be used.
    """
    configuration = Configuration()
    if in_cluster(environ, context):
        incluster_config.load_incluster_config(client_configuration=configuration)
    else:
        _from_file(configuration, environ.get("KUBECONFIG"), context)
    return Connection(configuration, threads=threads, user_agent=user_agent)


def _from_file(configuration: Configuration, file: str | None, context: str | None) -> None:
    try:
        kube_config.load_kube_config(file, context=context, client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise ConfigError(
            f"kubeconfig {file or '~/.kube/config'}: {error}",
            hint="set KUBECONFIG to the file of a cluster, or see `kubectl config get-contexts`",
        ) from None


def _lines(raw: Any) -> Iterator[str]:
    rest = b""
    for chunk in raw.stream(65536, decode_content=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")


def _root(error: BaseException) -> str:
    reason = getattr(error, "reason", None)
    return str(reason) if isinstance(reason, BaseException) else str(error)
