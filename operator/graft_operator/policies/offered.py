"""Which APIs of the cluster, beside those of Kubernetes itself, a ServeDeployment uses."""

from __future__ import annotations

from typing import Literal

from graft_operator.observed import Apis, Subject
from graft_operator.settings import Settings

CPU = 80  # percent that each pod may have beside a queue, or where nothing tells of the queue
Scaler = Literal["none", "cpu", "adapter", "keda"]


def routed(subject: Subject, apis: Apis, settings: Settings) -> bool:
    """Whether an HTTPRoute brings its requests: asked for, allowed, and known to the cluster."""
    return bool(subject.spec.get("gateway")) and settings.gateway and apis.routes


def queue(subject: Subject) -> int | None:
    """How many requests may wait at each pod before there are to be more; None: not asked for."""
    scaling = subject.spec.get("autoscaling") or {}
    depth = (scaling.get("target") or {}).get("queueDepth")
    return None if depth is None else int(depth)


def scaler(subject: Subject, apis: Apis, settings: Settings) -> Scaler:
    """What says how many pods there are: by the queue where something can tell of it."""
    if not subject.spec.get("autoscaling"):
        return "none"
    if queue(subject) is None:
        return "cpu"
    if settings.prometheus and apis.scaled_objects:
        return "keda"
    return "adapter" if apis.pod_metrics else "cpu"
