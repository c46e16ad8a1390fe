"""Counters and histograms: once per transition, from what a written status changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graft_operator import metrics
from graft_operator.observed import Subject
from graft_operator.status.goodput import parts

Status = Mapping[str, Any]


def count(subject: Subject, new: Status) -> None:
    """Counts what is new in the status that was just written over the subject's."""
    old, kind = subject.status, subject.kind
    restarts = new.get("restarts") or {}
    if restarts != (old.get("restarts") or {}) and restarts.get("history"):
        found = restarts["history"][-1]["class"]
        metrics.ATTEMPTS.labels(kind, subject.namespace, found).inc()
    if _phase(new, "Failed") and not _phase(old, "Failed"):
        reason = next(c["reason"] for c in new["conditions"] if c["type"] == "Failed")
        metrics.FAILURES.labels(kind, subject.namespace, reason).inc()
    if _reason(old, "Queued") == "QuotaPending" and _reason(new, "Queued") == "Admitted":
        metrics.QUEUE_SECONDS.labels(kind).observe(_since_creation(subject, _now_in(new)))
    _rolled(old, new)
    if first := _fresh(old, new, "firstStepTime"):
        metrics.START_SECONDS.labels(kind).observe(_since_creation(subject, first))
    if end := _fresh(old, new, "completionTime"):
        metrics.DURATION_SECONDS.labels(kind).observe(_since_creation(subject, end))
        for part, seconds in parts(new.get("goodput") or {}).items():
            metrics.TIME_SECONDS.labels(kind, part).inc(seconds)


def _rolled(old: Status, new: Status) -> None:
    """Models that took over or were taken back with this write."""
    before, after = ((s.get("rollout") or {}).get("state") for s in (old, new))
    if before == after or after not in ("Stable", "Degraded"):
        return
    if after == "Degraded":
        reason = _reason(new, "CanaryHealthy") or _reason(new, "Degraded")
        metrics.ROLLOUTS.labels("RolledBack", reason).inc()
    elif old.get("model") != new.get("model"):
        metrics.ROLLOUTS.labels("RolledOut", "Answers").inc()


def _phase(status: Status, phase: str) -> bool:
    return status.get("phase") == phase


def _reason(status: Status, kind: str) -> str:
    found = (str(c["reason"]) for c in status.get("conditions") or () if c["type"] == kind)
    return next(found, "")


def _now_in(status: Status) -> str:
    """When the newest condition changed."""
    return max(str(c["lastTransitionTime"]) for c in status["conditions"])


def _fresh(old: Status, new: Status, key: str) -> str:
    return str(new[key]) if new.get(key) and not old.get(key) else ""


def _since_creation(subject: Subject, moment: str) -> float:
    return max((datetime.fromisoformat(moment) - subject.created).total_seconds(), 0.0)
