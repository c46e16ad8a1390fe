"""The Lease that decides which replica of the operator acts."""

from __future__ import annotations

from graft_operator.cluster.connection import Connection, RefusedError
from graft_operator.cluster.requests import MERGE_PATCH, Object, Ref, Request, create, get
from graft_operator.policies.leading import TERMS, Lease

NAME = "graft-operator"


def read(connection: Connection, ref: Ref, *, seconds: float) -> Lease | None:
    """The Lease as it is; None where nobody has made it.

    Raises:
        UnreachableError: the server does not answer.
        RefusedError: the server refuses.
    """
    request = get(ref)
    answer = connection.send(request, read_seconds=seconds)
    if answer.code == 404:
        return None
    if not answer.ok:
        raise RefusedError(request, answer)
    return _lease(answer.json())


def write(
    connection: Connection, ref: Ref, old: Lease | None, *, spec: Object, seconds: float
) -> Lease | None:
    """The Lease with that spec; None where it is not as it was read any more.

    The version that was read stands in the request, so that two never both succeed.
    Raises as `read`.
    """
    request = _request(ref, old, spec)
    answer = connection.send(request, read_seconds=seconds)
    if answer.code == 409 or (answer.code == 404 and old is not None):
        return None
    if not answer.ok:
        raise RefusedError(request, answer)
    return _lease(answer.json())


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
    return Lease(
        holder=spec.get("holderIdentity") or "",
        renewed=spec.get("renewTime") or "",
        holds=float(spec.get("leaseDurationSeconds") or TERMS.holds),
        version=raw["metadata"]["resourceVersion"],
    )
