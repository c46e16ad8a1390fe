"""The pod of a stage: passes Pod Security `restricted`, reads one file, writes to the store."""

from __future__ import annotations

from typing import Any

from graft_api.plan import Mount, Stage
from graft_api.vocabulary import Annotation, Label, Port, Role
from graft_operator.render.attempt import Attempt, labels
from graft_operator.render.environment import (
    JOB_FILE,
    JOB_FOLDER,
    STORE,
    TERMINATION,
    variables,
)
from graft_operator.render.overlay import overlaid
from graft_operator.settings import Settings

Object = dict[str, Any]

USER = 65532
SHARED_MEMORY = "1Gi"
CONTAINER_SECURITY: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
POD_SECURITY: Object = {
    "fsGroup": USER,
    "fsGroupChangePolicy": "OnRootMismatch",
    "runAsGroup": USER,
    "runAsNonRoot": True,
    "runAsUser": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def template(attempt: Attempt) -> Object:
    """The pod template of the stage's Job; the user's overlay is laid over it last."""
    own = {
        "metadata": {
            "labels": labels(attempt, attempt.role),
            "annotations": {Annotation.JOB: attempt.plan.job},
        },
        "spec": _spec(attempt),
    }
    asked = (attempt.subject.spec.get("workers") or {}).get("podTemplate") or {}
    merged: Object = overlaid(own, asked)
    return merged


def _spec(attempt: Attempt) -> Object:
    settings, run = attempt.settings, attempt.run
    spec: Object = {
        "automountServiceAccountToken": False,
        "containers": [_container(attempt)],
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": POD_SECURITY,
        "serviceAccountName": settings.service_account,
        "terminationGracePeriodSeconds": settings.grace_seconds,
        "volumes": _volumes(attempt),
    }
    if settings.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.image_pull_secrets]
    if name := run.get("priorityClassName"):
        spec["priorityClassName"] = name
    if attempt.gang:
        spec["subdomain"] = attempt.subject.name
        spec["topologySpreadConstraints"] = [_spread(attempt)]
    return spec


def _container(attempt: Attempt) -> Object:
    asked = (attempt.subject.spec.get("workers") or {}).get("image")
    container: Object = {
        "name": "worker",
        "image": asked or attempt.settings.worker_image,
        "imagePullPolicy": attempt.settings.image_pull_policy,
        "args": list(attempt.stage.argv[3:]),
        "env": variables(attempt),
        "ports": [{"name": "metrics", "containerPort": int(Port.METRICS)}],
        "resources": requests(attempt.stage),
        "securityContext": CONTAINER_SECURITY,
        "terminationMessagePath": TERMINATION,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": _mounts(attempt),
    }
    secrets = [*attempt.stage.secrets, *_store_secret(attempt)]
    if secrets:
        container["envFrom"] = [{"secretRef": {"name": name}} for name in secrets]
    if attempt.role == Role.WORKER:
        container["readinessProbe"] = {
            "httpGet": {"path": "/ready", "port": "metrics"},
            "periodSeconds": 2,
            "failureThreshold": 2,
            "timeoutSeconds": 2,
        }
    return container


def requests(stage: Stage) -> Object:
    """Requests, and limits of all but the CPU: a limit there only slows what would be idle."""
    asked = stage.resources
    wanted = {"cpu": asked.cpu, "memory": asked.memory}
    limits = {"memory": asked.memory}
    if asked.gpu:
        wanted[asked.gpu_resource] = limits[asked.gpu_resource] = str(asked.gpu)
    return {"limits": limits, "requests": wanted}


def _volumes(attempt: Attempt) -> list[Object]:
    path = f"metadata.annotations['{Annotation.JOB}']"
    item = {"path": JOB_FILE, "fieldRef": {"fieldPath": path}}
    store: Object = {"name": "store"}
    if attempt.settings.store_uri:
        limit = attempt.settings.store_scratch
        store["emptyDir"] = {"sizeLimit": limit} if limit else {}
    else:
        store["persistentVolumeClaim"] = {"claimName": attempt.settings.store_claim}
    shared = {"medium": "Memory", "sizeLimit": SHARED_MEMORY}
    own = [
        {"name": "job", "downwardAPI": {"items": [item]}},
        store,
        {"name": "tmp", "emptyDir": {}},
        {"name": "shm", "emptyDir": shared},
    ]
    return own + data_volumes(attempt.stage.mounts, attempt.settings)


def data_volumes(mounts: tuple[Mount, ...], settings: Settings) -> list[Object]:
    """Volumes of the claims and config maps that URIs name.

    The store's claim has one already: of a claim that a pod names twice, once read-only, the
    kubelet makes one mount, and then nothing can be written to the store.
    """
    return [
        _data_volume(number, mount)
        for number, mount in enumerate(mounts)
        if not _in_store(mount, settings)
    ]


def data_mounts(mounts: tuple[Mount, ...], settings: Settings) -> list[Object]:
    """Where the container finds what the URIs name; it cannot write there."""
    return [
        {
            "name": "store" if _in_store(mount, settings) else f"data-{number}",
            "mountPath": mount.path,
            "readOnly": True,
        }
        for number, mount in enumerate(mounts)
    ]


def _in_store(mount: Mount, settings: Settings) -> bool:
    return mount.kind == "pvc" and mount.name == settings.store_claim and not settings.store_uri


def _data_volume(number: int, mount: Mount) -> Object:
    if mount.kind == "pvc":
        claim = {"claimName": mount.name, "readOnly": True}
        return {"name": f"data-{number}", "persistentVolumeClaim": claim}
    return {"name": f"data-{number}", "configMap": {"name": mount.name}}


def _mounts(attempt: Attempt) -> list[Object]:
    own: list[Object] = [
        {"name": "job", "mountPath": JOB_FOLDER, "readOnly": True},
        {"name": "store", "mountPath": STORE},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  (an emptyDir of the pod's own)
        {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108
    ]
    return own + data_mounts(attempt.stage.mounts, attempt.settings)


def _store_secret(attempt: Attempt) -> list[str]:
    settings = attempt.settings
    return [settings.store_secret] if settings.store_uri and settings.store_secret else []


def _spread(attempt: Attempt) -> Object:
    chosen = {Label.JOB: attempt.subject.name, Label.ROLE: attempt.role}
    return {
        "labelSelector": {"matchLabels": chosen},
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
    }
