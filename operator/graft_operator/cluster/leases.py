"""The Lease that decides which replica of the operator acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from graft_operator.cluster.connection import Connection, RefusedError
from graft_operator.cluster.requests import MERGE_PATCH, Object, Ref, Request, create, get

NAME = "graft-operator"
DURATION = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who holds it, until when, and the version that was read."""

    holder: str
    renewed: datetime
    version: str

    def free(self, now: datetime) -> bool:
        """Whether its holder has let it run out, or given it back."""
        return not self.holder or now >= self.renewed + DURATION


def read(connection: Connection, ref: Ref) -> Lease | None:
    """The Lease as it is; None where nobody has made it.

    Raises:
        UnreachableError: the server does not answer.
        RefusedError: the server refuses.
    """
    request = get(ref)
    answer = connection.send(request, read_seconds=5)
    if answer.code == 404:
        return None
    if not answer.ok:
        raise RefusedError(request, answer)
    return _lease(answer.json())


def take(connection: Connection, ref: Ref, old: Lease | None, *, holder: str) -> Lease | None:
    """The Lease held by `holder`; None where somebody else was faster.

    The version that was read stands in the request, so that two never both succeed.
    """
    now = datetime.now(UTC)
    spec: Object = {
        "holderIdentity": holder,
        "leaseDurationSeconds": int(DURATION.total_seconds()),
        "renewTime": _micro(now),
    }
    if old is None or old.holder != holder:
        spec["acquireTime"] = _micro(now)
    answer = connection.send(_request(ref, old, spec), read_seconds=5)
    return _lease(answer.json()) if answer.ok else None


def _request(ref: Ref, old: Lease | None, spec: Object) -> Request:
    if old is None:
        metadata = {"name": ref.name, "namespace": ref.namespace}
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
        return create(body | {"spec": spec})
    body = {"metadata": {"resourceVersion": old.version}, "spec": spec}
    return Request(
        verb="PATCH", path=ref.path(), body=body, content_type=MERGE_PATCH, kind=ref.kind
    )


def _lease(raw: Object) -> Lease:
    spec = raw.get("spec") or {}
    renewed = spec.get("renewTime")
    return Lease(
        holder=spec.get("holderIdentity") or "",
        renewed=datetime.fromisoformat(renewed) if renewed else datetime.min.replace(tzinfo=UTC),
        version=raw["metadata"]["resourceVersion"],
    )


def _micro(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
