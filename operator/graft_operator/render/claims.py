"""The store's claim in a job's namespace, where the administrator lets the operator make it."""

from __future__ import annotations

from typing import Any

from graft_operator.render.attempt import Attempt

Object = dict[str, Any]


def store_claim(attempt: Attempt) -> tuple[Object, ...]:
    """The claim; owned by no job, since other jobs and finished models live in it too."""
    settings = attempt.settings
    if attempt.store_known or settings.store_uri or not settings.store_create:
        return ()
    metadata = {
        "name": settings.store_claim,
        "namespace": attempt.subject.namespace,
        "labels": {"app.kubernetes.io/managed-by": "graft-operator"},
    }
    return (
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": settings.store_create,
        },
    )
