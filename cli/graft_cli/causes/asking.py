"""Deployments: what one asks of others than Kubernetes, a Gateway or a scaler, and does not get."""

from __future__ import annotations

from collections.abc import Mapping

from .facts import Cause, Facts, sentence


def unreached(facts: Facts) -> Cause | None:
    """No request of the Gateway that it names comes here."""
    describe = f"kubectl -n {facts.namespace} describe httproute {facts.name}-serve"
    steps = {
        "GatewayOff": "helm upgrade graft charts/graft --reuse-values --set serve.gateway=true",
        "GatewayMissing": "kubectl get crd httproutes.gateway.networking.k8s.io",
        "NotAccepted": describe,
        "Pending": describe,
    }
    return _told(facts, "Routed", "Requests of its Gateway do not come", steps)


def unscaled(facts: Facts) -> Cause | None:
    """Its pods do not follow the queue."""
    steps = {
        "PrometheusUnknown": "helm upgrade graft charts/graft --reuse-values"
        " --set serve.prometheus=http://…",
        "NothingTells": "kubectl get crd scaledobjects.keda.sh",
        "NotFollowed": f"kubectl -n {facts.namespace} describe hpa",
    }
    return _told(facts, "QueueScaling", "Its pods do not follow the queue", steps)


def _told(facts: Facts, condition: str, says: str, steps: Mapping[str, str]) -> Cause | None:
    """The condition's reason, where there is a step to take for it."""
    reason = facts.reason(condition)
    if reason not in steps:
        return None
    text = f"{says}: {sentence(facts.message(condition))}."
    return Cause(name=reason, says=text, do=(steps[reason],))
