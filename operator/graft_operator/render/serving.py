"""The children of a ServeDeployment: pods that answer, their address, their rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graft_api.quantities import number
from graft_api.vocabulary import Label, Role, ServePort, Variant
from graft_operator.render import routing, scaling
from graft_operator.render.attempt import job_labels
from graft_operator.render.children import Serving, child, chosen, stamped
from graft_operator.render.environment import STORE
from graft_operator.render.overlay import overlaid
from graft_operator.render.pods import (
    CONTAINER_SECURITY,
    POD_SECURITY,
    data_mounts,
    data_volumes,
    requests,
)

Object = dict[str, Any]

GRACE_SECONDS = 40  # 5 of new requests, 20 for what was accepted, and some
STARTUP_SECONDS = 600


def render(serving: Serving) -> tuple[Object, ...]:
    """The children in the order in which they are made, each with the digest of what it is."""
    made = [body for renderer in _RENDERERS for body in renderer(serving)]
    return tuple(map(stamped, made))


def canary(serving: Serving, replicas: int) -> Object:
    """A second Deployment of so many pods; nothing else of it is its own."""
    spec = _pods(serving) | {"replicas": replicas}
    return stamped(child(serving, "apps/v1", "Deployment", spec, of=Variant.CANARY))


def _variant(serving: Serving) -> Object:
    return {Label.VARIANT: str(serving.variant)}


def _network_policy(serving: Serving) -> tuple[Object, ...]:
    """Whoever may reach the namespace may ask; a server itself has nobody to speak to."""
    ports = [{"port": int(port), "protocol": "TCP"} for port in ServePort]
    spec = {
        "egress": [],
        "ingress": [{"ports": ports}],
        "podSelector": {"matchLabels": chosen(serving.subject)},
        "policyTypes": ["Ingress", "Egress"],
    }
    return (child(serving, "networking.k8s.io/v1", "NetworkPolicy", spec),)


def _budget(serving: Serving) -> tuple[Object, ...]:
    """None for a lone pod: it would only keep its node from being drained."""
    if serving.stage.gang.max < 2:
        return ()
    spec = {
        "maxUnavailable": 1,
        "selector": {"matchLabels": chosen(serving.subject)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return (child(serving, "policy/v1", "PodDisruptionBudget", spec),)


def _deployment(serving: Serving) -> tuple[Object, ...]:
    own = _pods(serving)
    if serving.scaler == "none":
        own["replicas"] = serving.stage.gang.desired
    return (child(serving, "apps/v1", "Deployment", own),)


def _pods(serving: Serving) -> Object:
    """The spec of a Deployment that says nothing of how many."""
    return {
        "progressDeadlineSeconds": STARTUP_SECONDS,
        "revisionHistoryLimit": 2,
        "selector": {"matchLabels": chosen(serving.subject) | _variant(serving)},
        # A pod goes only when another answers in its place.
        "strategy": {
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            "type": "RollingUpdate",
        },
        "template": _template(serving),
    }


_RENDERERS: tuple[Callable[[Serving], tuple[Object, ...]], ...] = (
    _network_policy,
    routing.service,
    routing.route,
    _budget,
    _deployment,
    scaling.autoscaler,
    scaling.scaled_object,
)


def _template(serving: Serving) -> Object:
    subject = serving.subject
    labels = job_labels(subject) | {Label.ROLE: str(Role.SERVER)} | _variant(serving)
    own = {"metadata": {"labels": dict(sorted(labels.items()))}, "spec": _pod(serving)}
    merged: Object = overlaid(own, subject.spec.get("podTemplate") or {})
    return merged


def _pod(serving: Serving) -> Object:
    settings = serving.settings
    pod: Object = {
        "automountServiceAccountToken": False,
        "containers": [_container(serving)],
        "enableServiceLinks": False,
        "securityContext": POD_SECURITY,
        "serviceAccountName": settings.service_account,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "topologySpreadConstraints": [
            {
                "labelSelector": {"matchLabels": chosen(serving.subject)},
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
            }
        ],
        "volumes": _volumes(serving),
    }
    if settings.image_pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in settings.image_pull_secrets]
    return pod


def _container(serving: Serving) -> Object:
    stage, settings = serving.stage, serving.settings
    threads = max(1, int(number(stage.resources.cpu)))
    ready = {"httpGet": {"path": "/v2/health/ready", "port": "http"}, "timeoutSeconds": 2}
    live = {"httpGet": {"path": "/v2/health/live", "port": "http"}, "timeoutSeconds": 5}
    return {
        "name": "server",
        "image": settings.serve_image,
        "imagePullPolicy": settings.image_pull_policy,
        "args": list(stage.argv[3:]),
        "env": [
            {"name": "HOME", "value": "/tmp"},  # noqa: S108  (an emptyDir of the pod's own)
            {"name": "OMP_NUM_THREADS", "value": str(threads)},
            {"name": "PYTHONUNBUFFERED", "value": "1"},
        ],
        "ports": [
            {"name": "http", "containerPort": int(ServePort.REQUESTS)},
            {"name": "metrics", "containerPort": int(ServePort.METRICS)},
        ],
        "resources": requests(stage),
        "securityContext": CONTAINER_SECURITY,
        "startupProbe": ready | {"failureThreshold": STARTUP_SECONDS, "periodSeconds": 1},
        "readinessProbe": ready | {"failureThreshold": 2, "periodSeconds": 5},
        "livenessProbe": live | {"failureThreshold": 3, "periodSeconds": 10},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": _mounts(serving),
    }


def _volumes(serving: Serving) -> list[Object]:
    own: list[Object] = [{"name": "tmp", "emptyDir": {}}]
    if not serving.settings.store_uri:
        claim = {"claimName": serving.settings.store_claim, "readOnly": True}
        own.append({"name": "store", "persistentVolumeClaim": claim})
    return own + data_volumes(serving.stage.mounts, serving.settings)


def _mounts(serving: Serving) -> list[Object]:
    own: list[Object] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108  (see above)
    if not serving.settings.store_uri:
        own.append({"name": "store", "mountPath": STORE, "readOnly": True})
    return own + data_mounts(serving.stage.mounts, serving.settings)
