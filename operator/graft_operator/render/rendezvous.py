"""The pod in which a gang meets: losing any worker, rank 0's too, is not losing the gang."""

from __future__ import annotations

from typing import Any

from graft_api.vocabulary import Port, Role
from graft_operator.render.attempt import Attempt, labels, meta
from graft_operator.render.pods import CONTAINER_SECURITY, POD_SECURITY

Object = dict[str, Any]


def store_pod(attempt: Attempt) -> tuple[Object, ...]:
    """The rendezvous store of this attempt; none for a lone worker."""
    if not attempt.gang:
        return ()
    settings = attempt.settings
    spec: Object = {
        "automountServiceAccountToken": False,
        "containers": [_container(attempt)],
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": POD_SECURITY,
        "serviceAccountName": settings.service_account,
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    if settings.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.image_pull_secrets]
    if name := attempt.run.get("priorityClassName"):
        spec["priorityClassName"] = name
    metadata = meta(attempt, attempt.store_name, labels(attempt, Role.RENDEZVOUS))
    return ({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},)


def _container(attempt: Attempt) -> Object:
    return {
        "name": "worker",
        "image": attempt.settings.worker_image,
        "imagePullPolicy": attempt.settings.image_pull_policy,
        "args": ["rendezvous"],
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108  (the pod's own emptyDir)
        "ports": [
            {"name": "rendezvous", "containerPort": int(Port.RENDEZVOUS)},
            {"name": "health", "containerPort": int(Port.RENDEZVOUS_HEALTH)},
        ],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "health"}, "periodSeconds": 1},
        "resources": {
            # torch alone takes 520 MiB where it is built for accelerators.
            "limits": {"memory": "1Gi"},
            "requests": {"cpu": "20m", "memory": "600Mi"},
        },
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108
    }
