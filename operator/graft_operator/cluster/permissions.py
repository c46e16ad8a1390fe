"""Every right that the operator needs; the chart grants these and no other."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

JOBS = ("pretrainjobs", "transferjobs", "distilljobs")
KINDS = (*JOBS, "servedeployments")

RIGHTS: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        **{("graft.dev", kind): ("delete", "get", "list", "watch") for kind in JOBS},
        ("graft.dev", "servedeployments"): ("get", "list", "watch"),
        **{("graft.dev", f"{kind}/status"): ("patch",) for kind in KINDS},
        ("batch", "jobs"): ("create", "delete", "get", "list", "patch", "watch"),
        ("", "pods"): ("create", "delete", "get", "list"),
        ("", "services"): ("create", "delete", "get", "patch"),
        ("", "persistentvolumeclaims"): ("create", "get"),
        ("", "events"): ("list",),
        ("networking.k8s.io", "networkpolicies"): ("create", "get", "patch"),
        ("apps", "deployments"): ("create", "delete", "get", "patch"),
        ("policy", "poddisruptionbudgets"): ("create", "delete", "get", "patch"),
        ("autoscaling", "horizontalpodautoscalers"): ("create", "delete", "get", "patch"),
        ("events.k8s.io", "events"): ("create",),
    }
)
"""(group, resource) to verbs, in the namespaces whose jobs are run."""

OWN: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {("coordination.k8s.io", "leases"): ("create", "get", "patch")}
)
"""The same in the operator's own namespace."""

KEDA: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {("keda.sh", "scaledobjects"): ("create", "delete", "get", "patch")}
)
"""What `serve.prometheus` of the chart adds to RIGHTS."""

GATEWAY: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {("gateway.networking.k8s.io", "httproutes"): ("create", "delete", "get", "patch")}
)
"""What `serve.gateway` of the chart adds to RIGHTS."""
