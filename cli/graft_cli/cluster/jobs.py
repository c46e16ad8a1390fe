"""All jobs of a namespace or of the cluster: one request a kind, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from graft_cli.endings import EndedError, Ending
from graft_operator.cluster.requests import Ref, get

from .api import Api, Object, refusal, server_time, together
from .naming import ALL, KINDS


def jobs(
    api: Api, *, kinds: Sequence[str] = KINDS, everywhere: bool = False
) -> tuple[list[Object], datetime]:
    """The jobs by kind, namespace and name, and the server's time.

    Raises:
        EndedError: the server refused, or knows none of the kinds.
    """
    namespace = "" if everywhere else api.namespace
    lists = together(*((lambda kind=kind: _of(api, kind, namespace)) for kind in kinds))
    if all(found is None for found, _ in lists):
        hint = "install Graft first: its chart, or `kubectl apply -f crds/`"
        message = f"this cluster does not know {' or '.join(kinds)}"
        raise EndedError(message, hint=hint, code=Ending.NOT_FOUND)
    items = [item for found, _ in lists for item in found or ()]
    items.sort(key=lambda item: (ALL.index(item["kind"]), *_place(item)))
    return items, max(now for _, now in lists)


def _of(api: Api, kind: str, namespace: str) -> tuple[list[Object] | None, datetime]:
    request = get(Ref(kind=kind, namespace=namespace))
    answer = api.ask(request)
    if answer.code == 404:  # the kind is not installed
        return None, datetime.min.replace(tzinfo=UTC)
    if not answer.ok:
        raise refusal(request, answer)
    items = [{**item, "kind": kind} for item in answer.json().get("items") or ()]
    return items, server_time(answer)


def _place(item: Object) -> tuple[str, str]:
    return item["metadata"]["namespace"], item["metadata"]["name"]
