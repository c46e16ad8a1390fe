"""An autoscaler as the API server sends it, to why it does not follow the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graft_operator.render.children import SCALED
from graft_operator.render.scaling import DEPTH

PARTLY = "PartialTriggerError"  # KEDA: the CPU alone is known


def trouble(raw: Mapping[str, Any]) -> str:
    """In its own words; empty: it does, or has not said yet."""
    told = {c["type"]: c for c in (raw.get("status") or {}).get("conditions") or ()}
    return _of_keda(told) if raw["kind"] == SCALED else _of_autoscaler(raw, told)


def _of_keda(told: Mapping[str, Any]) -> str:
    ready = told.get("Ready") or {}
    bad = ready.get("status") == "False" or ready.get("reason") == PARTLY
    return f"KEDA says: {_words(ready)}" if bad else ""


def _of_autoscaler(raw: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """One that knows the CPU goes on without the queue, and leaves it out of what it measured."""
    active = told.get("ScalingActive") or {}
    if active.get("status") == "False":
        return f"the autoscaler says: {_words(active)}"
    measured = (raw.get("status") or {}).get("currentMetrics") or ()
    if measured and not any(each.get("type") == "Pods" for each in measured):
        return f"the metrics adapter does not tell {DEPTH} of the pods; give it a rule for it"
    return ""


def _words(condition: Mapping[str, Any]) -> str:
    return str(condition.get("message") or condition.get("reason") or "it is not ready")
