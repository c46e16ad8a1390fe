"""Deployments: what one asks of others than Kubernetes, a Gateway or a scaler, and does not get."""

from __future__ import annotations

from .facts import Cause, Facts, sentence


def unreached(facts: Facts) -> Cause | None:
    """No request of the Gateway that it names comes here."""
    reason = facts.reason("Routed")
    steps = {
        "GatewayOff": "helm upgrade graft charts/graft --reuse-values --set serve.gateway=true",
        "GatewayMissing": "kubectl get crd httproutes.gateway.networking.k8s.io",
        "NotAccepted": f"kubectl -n {facts.namespace} describe httproute {facts.name}-serve",
        "Pending": f"kubectl -n {facts.namespace} describe httproute {facts.name}-serve",
    }
    if reason not in steps:
        return None
    return Cause(
        name=reason,
        says=f"Requests of its Gateway do not come: {sentence(facts.message('Routed'))}.",
        do=(steps[reason],),
    )


def unscaled(facts: Facts) -> Cause | None:
    """Its pods do not follow the queue."""
    reason = facts.reason("QueueScaling")
    steps = {
        "PrometheusUnknown": "helm upgrade graft charts/graft --reuse-values"
        " --set serve.prometheus=http://…",
        "NothingTells": "kubectl get crd scaledobjects.keda.sh",
        "NotFollowed": f"kubectl -n {facts.namespace} describe hpa",
    }
    if reason not in steps:
        return None
    return Cause(
        name=reason,
        says=f"Its pods do not follow the queue: {sentence(facts.message('QueueScaling'))}.",
        do=(steps[reason],),
    )
