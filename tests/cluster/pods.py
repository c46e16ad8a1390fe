"""Pods that Pod Security `restricted` lets in, as small as tests want them."""

from __future__ import annotations

from typing import Any

from tests.cluster.api import Object
from tests.cluster.settings import WORKER_UID

SECURITY: Object = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
USER: Object = {
    "runAsNonRoot": True,
    "runAsUser": WORKER_UID,
    "runAsGroup": WORKER_UID,
    "fsGroup": WORKER_UID,
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESOURCES: Object = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "2Gi"}}


def restricted(name: str, image: str, code: str, **spec: Any) -> Object:
    """A pod that runs Python code once; `labels`, `claim` (at /store) and parts of a pod's spec."""
    labels = spec.pop("labels", {})
    claim = spec.pop("claim", "")
    resources = spec.pop("resources", RESOURCES)
    volumes: list[Object] = [{"name": "tmp", "emptyDir": {}}]
    mounts = [{"name": "tmp", "mountPath": "/tmp"}]
    if claim:
        volumes.append({"name": "store", "persistentVolumeClaim": {"claimName": claim}})
        mounts.append({"name": "store", "mountPath": "/store"})
    container = {
        "name": "main",
        "image": image,
        "command": ["python3", "-c", code],
        "securityContext": SECURITY,
        "volumeMounts": mounts,
        "resources": resources,
    }
    body = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": USER,
        "containers": [container],
        "volumes": volumes,
    }
    about = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": {**body, **spec}}


def on(node: str) -> Object:
    """The part of a pod's spec that puts it on this node."""
    return {"nodeSelector": {"kubernetes.io/hostname": node}}
