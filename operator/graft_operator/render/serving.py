"""The children of a ServeDeployment: pods that answer, their address, their rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graft_api.plan import Stage
from graft_api.quantities import number
from graft_api.vocabulary import Annotation, Label, Role, ServePort, Variant
from graft_operator.observed import Subject
from graft_operator.render.attempt import job_labels, owned, selector
from graft_operator.render.environment import STORE
from graft_operator.render.overlay import overlaid
from graft_operator.render.pods import CONTAINER_SECURITY, POD_SECURITY, named_volume, requests
from graft_operator.settings import Settings

Object = dict[str, Any]

KINDS = (
    "NetworkPolicy",
    "Service",
    "PodDisruptionBudget",
    "Deployment",
    "HorizontalPodAutoscaler",
)
CANARY = "Canary"  # what the second Deployment is called among the children
PORT = 80  # of the Service
GRACE_SECONDS = 40  # 5 of new requests, 20 for what was accepted, and some
STARTUP_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Everything that the children depend on."""

    subject: Subject
    stage: Stage
    settings: Settings
    variant: Variant = Variant.STABLE
    tried: bool = False  # a canary takes a part of the traffic

    @property
    def scales(self) -> bool:
        """Whether an autoscaler says how many pods there are."""
        return bool(self.subject.spec.get("autoscaling"))


def name_of(subject: Subject, key: str = "") -> str:
    """The name of every child but the canary's Deployment: no job's child has it."""
    return f"{subject.name}-{'canary' if key == CANARY else 'serve'}"


def key(body: Object) -> str:
    """What the child is called among the children: its kind, or that it is the canary."""
    variant = body["metadata"]["labels"].get(Label.VARIANT)
    return CANARY if variant == Variant.CANARY else str(body["kind"])


def kind_of(key: str) -> str:
    """The kind of the child that is called so."""
    return "Deployment" if key == CANARY else key


def render(serving: Serving) -> tuple[Object, ...]:
    """The children in the order in which they are made, each with the digest of what it is."""
    made = [body for renderer in _RENDERERS for body in renderer(serving)]
    return tuple(_stamped(json.loads(json.dumps(body))) for body in made)


def canary(serving: Serving, replicas: int) -> Object:
    """A second Deployment of so many pods behind the same Service; nothing else is its own."""
    metadata = owned(
        serving.subject,
        name_of(serving.subject, CANARY),
        job_labels(serving.subject) | {Label.VARIANT: str(Variant.CANARY)},
    )
    spec = _pods(serving) | {"replicas": replicas}
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    return _stamped(json.loads(json.dumps(made)))


def stamp(body: Object) -> str:
    """The digest that the child carries."""
    return str(body["metadata"]["annotations"][Annotation.OBJECT])


def _stamped(body: Object) -> Object:
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    body["metadata"]["annotations"] = {str(Annotation.OBJECT): f"sha256:{digest}"}
    return body


def _child(serving: Serving, api_version: str, kind: str, spec: Object) -> Object:
    subject = serving.subject
    metadata = owned(subject, name_of(subject), job_labels(subject))
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _chosen(subject: Subject) -> Object:
    """Every pod that answers, whatever its model."""
    return selector(subject) | {Label.ROLE: str(Role.SERVER)}


def _variant(serving: Serving) -> Object:
    return {Label.VARIANT: str(serving.variant)}


def _network_policy(serving: Serving) -> tuple[Object, ...]:
    """Whoever may reach the namespace may ask; a server itself has nobody to speak to."""
    ports = [{"port": int(port), "protocol": "TCP"} for port in ServePort]
    spec = {
        "egress": [],
        "ingress": [{"ports": ports}],
        "podSelector": {"matchLabels": _chosen(serving.subject)},
        "policyTypes": ["Ingress", "Egress"],
    }
    return (_child(serving, "networking.k8s.io/v1", "NetworkPolicy", spec),)


def _service(serving: Serving) -> tuple[Object, ...]:
    ports = [{"name": "http", "port": PORT, "targetPort": "http"}]
    spec = {"ports": ports, "selector": _chosen(serving.subject)}
    return (_child(serving, "v1", "Service", spec),)


def _budget(serving: Serving) -> tuple[Object, ...]:
    """None for a lone pod: it would only keep its node from being drained."""
    if serving.stage.gang.max < 2:
        return ()
    spec = {
        "maxUnavailable": 1,
        "selector": {"matchLabels": _chosen(serving.subject)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return (_child(serving, "policy/v1", "PodDisruptionBudget", spec),)


def _deployment(serving: Serving) -> tuple[Object, ...]:
    own = _pods(serving)
    if not serving.scales:
        own["replicas"] = serving.stage.gang.desired
    return (_child(serving, "apps/v1", "Deployment", own),)


def _pods(serving: Serving) -> Object:
    """The spec of a Deployment that says nothing of how many."""
    return {
        "progressDeadlineSeconds": STARTUP_SECONDS,
        "revisionHistoryLimit": 2,
        "selector": {"matchLabels": _chosen(serving.subject) | _variant(serving)},
        # A pod goes only when another answers in its place.
        "strategy": {
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            "type": "RollingUpdate",
        },
        "template": _template(serving),
    }


def _autoscaler(serving: Serving) -> tuple[Object, ...]:
    if not serving.scales:
        return ()
    cpu = serving.subject.spec["autoscaling"]["target"]["cpu"]
    target = {"averageUtilization": cpu, "type": "Utilization"}
    # A canary takes load from the stable pods. All of them are needed again if it has to go.
    policy = "Disabled" if serving.tried else "Max"
    spec = {
        "behavior": {"scaleDown": {"selectPolicy": policy}},
        "maxReplicas": serving.stage.gang.max,
        "metrics": [{"resource": {"name": "cpu", "target": target}, "type": "Resource"}],
        "minReplicas": serving.stage.gang.min,
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": name_of(serving.subject),
        },
    }
    return (_child(serving, "autoscaling/v2", "HorizontalPodAutoscaler", spec),)


_RENDERERS: tuple[Callable[[Serving], tuple[Object, ...]], ...] = (
    _network_policy,
    _service,
    _budget,
    _deployment,
    _autoscaler,
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
                "labelSelector": {"matchLabels": _chosen(serving.subject)},
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
    return own + [named_volume(number, each) for number, each in enumerate(serving.stage.mounts)]


def _mounts(serving: Serving) -> list[Object]:
    own: list[Object] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108  (see above)
    if not serving.settings.store_uri:
        own.append({"name": "store", "mountPath": STORE, "readOnly": True})
    return own + [
        {"name": f"data-{number}", "mountPath": each.path, "readOnly": True}
        for number, each in enumerate(serving.stage.mounts)
    ]
