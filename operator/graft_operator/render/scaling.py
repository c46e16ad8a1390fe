"""What changes the number of a ServeDeployment's pods: an autoscaler, or KEDA, which makes one."""

from __future__ import annotations

from typing import Any

from graft_operator.policies import offered
from graft_operator.render.children import AUTOSCALER, SCALED, Serving, child, name_of

Object = dict[str, Any]

DEPTH = "graft_serve_queue_depth"  # of each server


def autoscaler(serving: Serving) -> tuple[Object, ...]:
    """The autoscaler of Kubernetes; none where nobody asks, or KEDA makes its own."""
    if serving.scaler not in ("cpu", "adapter"):
        return ()
    spec = {
        "behavior": _behavior(serving),
        "maxReplicas": serving.stage.gang.max,
        "metrics": _metrics(serving),
        "minReplicas": serving.stage.gang.min,
        "scaleTargetRef": _target(serving),
    }
    return (child(serving, "autoscaling/v2", AUTOSCALER, spec),)


def scaled_object(serving: Serving) -> tuple[Object, ...]:
    """What KEDA makes an autoscaler of: the queue as Prometheus knows it, and the CPU."""
    if serving.scaler != "keda":
        return ()
    spec = {
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(serving)}},
        "maxReplicaCount": serving.stage.gang.max,
        "minReplicaCount": serving.stage.gang.min,
        "scaleTargetRef": _target(serving),
        "triggers": [
            {
                "type": "prometheus",
                "metricType": "AverageValue",
                "metadata": {
                    "serverAddress": serving.settings.prometheus,
                    "query": _query(serving),
                    "threshold": str(offered.queue(serving.subject)),
                },
            },
            {"type": "cpu", "metricType": "Utilization", "metadata": {"value": str(offered.CPU)}},
        ],
    }
    return (child(serving, "keda.sh/v1alpha1", SCALED, spec),)


def _metrics(serving: Serving) -> list[Object]:
    cpu = serving.subject.spec["autoscaling"]["target"].get("cpu") or offered.CPU
    target = {"averageUtilization": cpu, "type": "Utilization"}
    found: list[Object] = [{"resource": {"name": "cpu", "target": target}, "type": "Resource"}]
    if serving.scaler == "adapter":
        most = {"averageValue": str(offered.queue(serving.subject)), "type": "AverageValue"}
        found.append({"pods": {"metric": {"name": DEPTH}, "target": most}, "type": "Pods"})
    return found


def _behavior(serving: Serving) -> Object:
    # A canary takes load from the stable pods. All of them are needed again if it has to go.
    return {"scaleDown": {"selectPolicy": "Disabled" if serving.tried else "Max"}}


def _target(serving: Serving) -> Object:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name_of(serving.subject)}


def _query(serving: Serving) -> str:
    """Requests that wait at the stable pods, which alone are made more or fewer."""
    subject = serving.subject
    chosen = (
        f'namespace="{subject.namespace}"',
        f'model="{subject.name}"',
        f'pod=~"{name_of(subject)}-.+"',
    )
    return f"sum({DEPTH}{{{','.join(chosen)}}})"
