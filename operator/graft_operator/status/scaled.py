"""Whether a ServeDeployment scales by its queue as it was asked to, and what is missing."""

from __future__ import annotations

from graft_operator.observed import Apis, Observed, Subject, memory
from graft_operator.policies import offered
from graft_operator.policies.verdict import Finding, false, true
from graft_operator.settings import Settings

SCALING = "QueueScaling"
FIELD = "spec.autoscaling.target.queueDepth"
ALONE = f"until then the CPU alone scales, at {offered.CPU} %"


def findings(subject: Subject, seen: Observed, settings: Settings) -> dict[str, Finding]:
    """The condition of a deployment that asks for it; none where it never was asked for."""
    depth = offered.queue(subject)
    if depth is None:
        known = SCALING in memory(subject).conditions
        return {SCALING: false("NotAsked", f"{FIELD} is not set")} if known else {}
    scaler = offered.scaler(subject, seen.apis, settings)
    if scaler == "cpu":
        return {SCALING: _missing(seen.apis)}
    if seen.unscaled:
        return {SCALING: false("NotFollowed", f"{FIELD}: {seen.unscaled}")}
    who = "KEDA" if scaler == "keda" else "the autoscaler, by the metrics adapter,"
    text = f"{who} keeps {depth} waiting requests at each pod, and the CPU at {offered.CPU} %"
    return {SCALING: true("ByKeda" if scaler == "keda" else "ByAdapter", text)}


def _missing(apis: Apis) -> Finding:
    if apis.scaled_objects:
        text = "KEDA is there, but the operator does not know of a Prometheus that has the queue"
        return false(
            "PrometheusUnknown",
            f"{FIELD}: {text}; set serve.prometheus in the chart to its address; {ALONE}",
        )
    text = "the cluster has neither KEDA (keda.sh/v1alpha1) nor a metrics adapter"
    return false(
        "NothingTells", f"{FIELD}: {text} (custom.metrics.k8s.io); install one of them; {ALONE}"
    )
