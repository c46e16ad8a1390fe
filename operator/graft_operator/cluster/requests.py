"""Requests to the API server as values, and its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote, urlencode

from graft_api.vocabulary import GROUP, VERSION

Verb = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Object = dict[str, Any]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
MANAGER = "graft-operator"

PATHS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ConfigMap": ("/api/v1", "configmaps"),
        "CoreEvent": ("/api/v1", "events"),  # the older form, which can be selected by object
        "Deployment": ("/apis/apps/v1", "deployments"),
        "Event": ("/apis/events.k8s.io/v1", "events"),
        "Job": ("/apis/batch/v1", "jobs"),
        "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers"),
        "HTTPRoute": ("/apis/gateway.networking.k8s.io/v1", "httproutes"),
        "Lease": ("/apis/coordination.k8s.io/v1", "leases"),
        "Namespace": ("/api/v1", "namespaces"),
        "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies"),
        "Node": ("/api/v1", "nodes"),
        "PersistentVolumeClaim": ("/api/v1", "persistentvolumeclaims"),
        "PodDisruptionBudget": ("/apis/policy/v1", "poddisruptionbudgets"),
        "Pod": ("/api/v1", "pods"),
        "ScaledObject": ("/apis/keda.sh/v1alpha1", "scaledobjects"),
        "Service": ("/api/v1", "services"),
        "Workload": ("/apis/kueue.x-k8s.io/v1beta1", "workloads"),
        "PretrainJob": (f"/apis/{GROUP}/{VERSION}", "pretrainjobs"),
        "TransferJob": (f"/apis/{GROUP}/{VERSION}", "transferjobs"),
        "DistillJob": (f"/apis/{GROUP}/{VERSION}", "distilljobs"),
        "ServeDeployment": (f"/apis/{GROUP}/{VERSION}", "servedeployments"),
    }
)
"""Folder and plural of each kind that this project touches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call: path with query, and a body that is sent as JSON."""

    verb: Verb
    path: str
    body: Any = None
    content_type: str = JSON
    kind: str = ""  # for metrics and messages

    def describe(self) -> str:
        """The call as people read it: `POST Job`."""
        return f"{self.verb} {self.kind or self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status code and body; a refusal is an answer, not an error."""

    code: int
    data: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the server did what was asked."""
        return self.code < 300

    def json(self) -> Any:
        """The body as data; an empty mapping where there is none or it is no JSON."""
        try:
            return json.loads(self.data or b"{}")
        except ValueError:
            return {}

    def message(self) -> str:
        """The server's own words on a refusal, else the start of the body."""
        said = self.json()
        text = said.get("message") if isinstance(said, dict) else None
        return str(text or self.data[:300].decode(errors="replace") or f"HTTP {self.code}")

    def reason(self) -> str:
        """The server's word for a refusal, such as NotFound; empty where it gives none."""
        said = self.json()
        return str(said.get("reason") or "") if isinstance(said, dict) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """Where an object is; without a name its collection, without a namespace the whole cluster."""

    kind: str
    namespace: str = ""
    name: str = ""

    def path(self, *, subresource: str = "", query: Mapping[str, str | int] | None = None) -> str:
        """The path at the API server; KeyError for a kind that is not known here."""
        folder, plural = PATHS[self.kind]
        space = f"namespaces/{quote(self.namespace)}" if self.namespace else ""
        joined = "/".join(x for x in (folder, space, plural, quote(self.name), subresource) if x)
        given = {key: value for key, value in (query or {}).items() if value != ""}
        return f"{joined}?{urlencode(given)}" if given else joined


def ref_of(body: Object) -> Ref:
    """Where the object is or will be."""
    meta = body["metadata"]
    return Ref(kind=body["kind"], namespace=meta.get("namespace", ""), name=meta.get("name", ""))


def get(
    ref: Ref, *, subresource: str = "", query: Mapping[str, str | int] | None = None
) -> Request:
    """Reads an object, or a collection where the reference has no name."""
    at = ref.path(subresource=subresource, query=query)
    return Request(verb="GET", path=at, kind=ref.kind)


def create(body: Object, *, manager: str = MANAGER, dry_run: bool = False) -> Request:
    """Makes the object; 409 where one of that name exists."""
    query = {"fieldManager": manager, "dryRun": "All" if dry_run else ""}
    ref = replace(ref_of(body), name="")
    return Request(verb="POST", path=ref.path(query=query), body=body, kind=ref.kind)


def merge(ref: Ref, body: Object, *, subresource: str = "", manager: str = MANAGER) -> Request:
    """Changes the fields that the body names; with `metadata.uid` only that very object."""
    at = ref.path(subresource=subresource, query={"fieldManager": manager})
    return Request(verb="PATCH", path=at, body=body, content_type=MERGE_PATCH, kind=ref.kind)


def apply(body: Object, *, manager: str, dry_run: bool = False) -> Request:
    """Server-side apply of an object that a person wrote."""
    query = {"fieldManager": manager, "dryRun": "All" if dry_run else ""}
    ref = ref_of(body)
    at = ref.path(query=query)
    return Request(verb="PATCH", path=at, body=body, content_type=APPLY_PATCH, kind=ref.kind)


def delete(ref: Ref, *, uid: str = "", grace_seconds: int | None = None) -> Request:
    """Removes the object and what it owns; with `uid` only that very object."""
    body: Object = {"propagationPolicy": "Background"}
    if uid:
        body["preconditions"] = {"uid": uid}
    if grace_seconds is not None:
        body["gracePeriodSeconds"] = grace_seconds
    return Request(verb="DELETE", path=ref.path(), body=body, kind=ref.kind)
