"""Who may speak to the pods of a job, and how they find each other."""

from __future__ import annotations

from typing import Any

from graft_api.vocabulary import Label, Port, Role
from graft_operator.render.attempt import Attempt, job_labels, labels, meta, selector

Object = dict[str, Any]


def network_policy(attempt: Attempt) -> tuple[Object, ...]:
    """The job's own pods reach each other; anyone may read metrics; nobody else gets in.

    The rendezvous is unauthenticated and unpickles what it is sent: only the gang may reach it.
    """
    pods = {"matchLabels": selector(attempt.subject)}
    metrics = {"port": int(Port.METRICS), "protocol": "TCP"}
    spec = {
        "ingress": [{"from": [{"podSelector": pods}]}, {"ports": [metrics]}],
        "podSelector": pods,
        "policyTypes": ["Ingress"],
    }
    return (
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": meta(attempt, attempt.subject.name, job_labels(attempt.subject)),
            "spec": spec,
        },
    )


def headless_service(attempt: Attempt) -> tuple[Object, ...]:
    """Names of the gang's pods; none for a lone worker, whom nobody looks up."""
    if not attempt.gang:
        return ()
    spec = {
        "clusterIP": "None",
        "ports": [{"name": "metrics", "port": int(Port.METRICS)}],
        "publishNotReadyAddresses": True,
        "selector": selector(attempt.subject) | {Label.ROLE: str(Role.WORKER)},
    }
    name = attempt.subject.name
    return (_service(meta(attempt, name, job_labels(attempt.subject)), spec),)


def store_service(attempt: Attempt) -> tuple[Object, ...]:
    """An address of its own for the rendezvous store: no wait for fresh names."""
    if not attempt.gang:
        return ()
    own = labels(attempt, Role.RENDEZVOUS)
    chosen = {key: own[key] for key in (Label.JOB, Label.KIND, Label.ATTEMPT, Label.ROLE)}
    ports = [
        {"name": "rendezvous", "port": int(Port.RENDEZVOUS)},
        {"name": "health", "port": int(Port.RENDEZVOUS_HEALTH)},
    ]
    return (_service(meta(attempt, attempt.store_name, own), {"ports": ports, "selector": chosen}),)


def _service(metadata: Object, spec: Object) -> Object:
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
