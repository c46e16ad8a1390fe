"""The API server as the verbs see it: an answer, or an error that ends the command."""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from graft_api.errors import ConfigError
from graft_cli.endings import EndedError, Ending
from graft_operator.cluster import direct, kubeconfig
from graft_operator.cluster.errors import RefusedError, UnreachableError
from graft_operator.cluster.requests import Answer, Ref, Request, get

MANAGER = "graft-cli"
THREADS = 8
BUSY_RETRIES = 4
MISSING = "pip install 'graft-operator[cluster]'"
RIGHT = re.compile(
    r'cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
Object = dict[str, Any]
T = TypeVar("T")


class Sender(Protocol):
    """What sends requests: with the client of Kubernetes, or without."""

    @property
    def server(self) -> str:
        """Address of the API server."""

    def send(self, request: Request) -> Answer:
        """The server's answer, refusals included."""

    def lines(self, request: Request, *, read_seconds: float | None = None) -> Iterator[str]:
        """The answer line by line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Requests in one namespace; every refusal is an error that says what to do."""

    sender: Sender
    namespace: str

    def send(self, request: Request) -> Answer:
        """The answer to a request that the server granted.

        Raises:
            EndedError: it refused, or did not answer.
        """
        answer = self.ask(request)
        if not answer.ok:
            raise refusal(request, answer)
        return answer

    def ask(self, request: Request) -> Answer:
        """The answer, refusals included; a busy server is asked again.

        Raises:
            EndedError: no answer came.
        """
        for _ in range(BUSY_RETRIES):
            answer = self._once(request)
            if answer.code != 429:
                break
            time.sleep(_seconds(answer))
        return answer

    def read(self, ref: Ref, query: Mapping[str, str | int] | None = None) -> Object:
        """The object or the collection as data."""
        data: Object = self.send(get(ref, query=query)).json()
        return data

    def find(self, ref: Ref) -> Object | None:
        """The object; None where there is none."""
        answer = self.ask(get(ref))
        if answer.code == 404:
            return None
        if not answer.ok:
            raise refusal(get(ref), answer)
        data: Object = answer.json()
        return data

    def items(self, ref: Ref, query: Mapping[str, str | int] | None = None) -> list[Object]:
        """The objects of a collection."""
        found: list[Object] = self.read(ref, query).get("items") or []
        return found

    def lines(self, request: Request, *, read_seconds: float | None = None) -> Iterator[str]:
        """The answer line by line as it comes.

        Raises:
            EndedError: the server refused, or fell silent.
        """
        try:
            yield from self.sender.lines(request, read_seconds=read_seconds)
        except RefusedError as error:
            raise refusal(request, error.answer) from None
        except UnreachableError as error:
            raise unreachable(error) from None

    def _once(self, request: Request) -> Answer:
        try:
            return self.sender.send(request)
        except UnreachableError as error:
            raise unreachable(error) from None


def open_api(arguments: argparse.Namespace) -> Api:
    """The cluster that the arguments name; nothing is sent yet.

    Raises:
        ConfigError: there is no kubeconfig, it cannot be used, or the client is not installed.
    """
    context = arguments.context
    namespace = arguments.namespace or kubeconfig.namespace(os.environ, context=context)
    return Api(sender=_sender(context), namespace=namespace)


def _sender(context: str | None) -> Sender:
    agent = "graft-cli"
    if not kubeconfig.in_cluster(os.environ, context):
        chosen = kubeconfig.read(os.environ, context=context)
        if direct.fits(chosen, os.environ):
            return direct.Direct(chosen, user_agent=agent)
    try:
        from graft_operator.cluster.connection import connect
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"this context needs the client of Kubernetes, and {error.name} is not installed",
            hint=MISSING,
        ) from None
    return connect(os.environ, threads=THREADS, user_agent=agent, context=context)


def together(*works: Callable[[], T]) -> list[T]:
    """The results of the works, done side by side; the first error is raised."""
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        return list(pool.map(lambda work: work(), works))


def server_time(answer: Answer) -> datetime:
    """The time as the server has it: the clock of a laptop may be off."""
    from email.utils import parsedate_to_datetime

    said = next((value for key, value in answer.headers.items() if key.lower() == "date"), "")
    return parsedate_to_datetime(said) if said else datetime.now(UTC)


def unreachable(error: UnreachableError) -> EndedError:
    """The error of a server that does not answer."""
    return EndedError(error.message, hint=error.hint, code=Ending.UNREACHABLE)


def refusal(request: Request, answer: Answer) -> EndedError:
    """The error of a refusal: its code, the server's words, what to do."""
    said = answer.message()
    if answer.code == 401:
        hint = "the credentials of the kubeconfig are missing, wrong or expired"
        return EndedError("the API server does not know you", hint=hint, code=Ending.FORBIDDEN)
    if answer.code == 403:
        return _forbidden(request, said)
    if answer.code == 404:
        return _not_found(request, said)
    if answer.code in (400, 409, 422):
        return EndedError(f"the cluster refuses this: {said}", code=Ending.BAD_INPUT)
    hint = "the API server is in trouble: try again, or ask those who run the cluster"
    message = f"{request.describe()}: HTTP {answer.code}: {said}"
    return EndedError(message, hint=hint, code=Ending.UNREACHABLE)


def _forbidden(request: Request, said: str) -> EndedError:
    if not (right := RIGHT.search(said)):  # a quota, an admission rule: no matter of rights
        code = Ending.FORBIDDEN if "cannot" in said else Ending.BAD_INPUT
        return EndedError(f"{request.describe()}: not permitted: {said}", code=code)
    group, space = right["group"], right["namespace"]
    resource = f"{right['resource']}.{group}" if group else right["resource"]
    where = f"namespace {space}" if space else "the whole cluster"
    hint = f"ask for a role with the verb {right['verb']} on {resource} in {where}"
    message = f"not permitted: you may not {right['verb']} {resource} in {where}"
    return EndedError(message, hint=hint, code=Ending.FORBIDDEN)


def _not_found(request: Request, said: str) -> EndedError:
    if "could not find the requested resource" in said or said.startswith("404"):
        hint = "install Graft first: its chart, or `kubectl apply -f crds/`"
        message = f"this cluster does not know {request.kind or request.path}"
        return EndedError(message, hint=hint, code=Ending.NOT_FOUND)
    return EndedError(said, code=Ending.NOT_FOUND)


def _seconds(answer: Answer) -> float:
    said = {key.lower(): value for key, value in answer.headers.items()}.get("retry-after", "")
    return min(float(said), 10.0) if said.isdigit() else 1.0
