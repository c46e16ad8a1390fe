"""Texts for the columns of kubectl; every narrow one has a value in every phase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graft_operator.observed import Subject

Object = dict[str, Any]
NONE = "-"
LONGEST = 60


def display(subject: Subject, status: Mapping[str, Any]) -> Object:
    """The `display` block of the status."""
    workers, progress = status.get("workers") or {}, status.get("progress") or {}
    restarts = status.get("restarts") or {}
    return {
        "workers": f"{workers.get('ready') or 0}/{workers.get('desired') or 0}",
        "step": _step(progress),
        "progress": _percent(progress),
        "metric": _metric(status.get("metrics") or ()),
        "remaining": _remaining(progress),
        "checkpoint": str((status.get("checkpoint") or {}).get("step", NONE)),
        "restarts": _restarts(restarts),
    } | _own(subject)


def _step(progress: Mapping[str, Any]) -> str:
    return f"{progress['step']}/{progress.get('totalSteps') or '?'}" if "step" in progress else NONE


def _percent(progress: Mapping[str, Any]) -> str:
    share = progress.get("progressPercentage")
    return NONE if share is None else f"{share}%"


def _metric(metrics: Any) -> str:
    """The first metric that is not the loss: the app's own comes first."""
    named = [metric for metric in metrics if metric["name"] != "loss"] or list(metrics)
    return f"{named[0]['name']}={float(named[0]['value']):.4g}" if named else NONE


def _remaining(progress: Mapping[str, Any]) -> str:
    left = progress.get("estimatedRemainingSeconds")
    if left is None:
        return NONE
    hours, minutes = divmod(int(left) // 60, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{int(left) % 60:02}s" if minutes else f"{int(left)}s"


def _restarts(restarts: Mapping[str, Any]) -> str:
    names = ("user", "infrastructure", "disruption")
    counts = [f"{restarts[name]} {name}" for name in names if restarts.get(name)]
    return ", ".join(counts) or "0"


def _own(subject: Subject) -> Object:
    model = (subject.spec.get("model") or {}).get("from") or {}
    base = model.get("zoo") or model.get("uri") or (model.get("job") or {}).get("name")
    config = model.get("config") or {}
    train = (subject.spec.get("data") or {}).get("train") or {}
    data = train.get("uri") or next(iter(train.get("uris") or ()), NONE)
    shown = {"base": base or config.get("architecture") or NONE, "dataset": data}
    return {key: _short(str(value)) for key, value in shown.items()}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"…{text[-LONGEST + 1 :]}"
