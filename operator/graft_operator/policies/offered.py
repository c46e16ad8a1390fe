"""Which APIs of the cluster, beside those of Kubernetes itself, a ServeDeployment uses."""

from __future__ import annotations

from graft_operator.observed import Apis, Subject
from graft_operator.settings import Settings


def routed(subject: Subject, apis: Apis, settings: Settings) -> bool:
    """Whether an HTTPRoute brings its requests: asked for, allowed, and known to the cluster."""
    return bool(subject.spec.get("gateway")) and settings.gateway and apis.routes
