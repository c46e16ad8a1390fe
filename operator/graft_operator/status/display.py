"""Texts for the columns of kubectl; every narrow one has a value in every phase."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    } | _OWN[subject.kind](subject.spec, status)


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


def _transfer(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Object:  # noqa: ARG001
    train = (spec.get("data") or {}).get("train") or {}
    data = train.get("uri") or next(iter(train.get("uris") or ()), NONE)
    return {"base": _model(spec.get("model")), "dataset": _short(str(data))}


def _pretrain(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Object:
    named = {m["name"]: float(m["value"]) for m in status.get("metrics") or ()}
    loss = named.get("loss")
    speed = (status.get("progress") or {}).get("tokensPerSecond")
    return {
        "loss": NONE if loss is None else f"{loss:.4g}",
        "model": _model(spec.get("model")),
        "tokensPerSecond": NONE if speed is None else str(speed),
    }


def _distill(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Object:
    beside = status.get("comparison") or {}
    ratios = (("sizeRatio", "smaller"), ("speedRatio", "faster"))
    told = [f"{float(beside[key]):.3g}x {word}" for key, word in ratios if key in beside]
    return {
        "teacher": _model(spec.get("teacher")),
        "student": _model(spec.get("student")),
        "ratio": ", ".join(told) or NONE,
    }


_OWN: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Object]] = {
    "TransferJob": _transfer,
    "PretrainJob": _pretrain,
    "DistillJob": _distill,
}


def _model(spec: Mapping[str, Any] | None) -> str:
    """Where a model comes from, in one word: a name, a folder, an architecture with its size."""
    origin = (spec or {}).get("from") or {}
    config, layers = origin.get("config") or {}, (origin.get("teacher") or {}).get("layers")
    sizes = "x".join(str(config[key]) for key in ("layers", "hidden") if key in config)
    made = " ".join(word for word in (config.get("architecture"), sizes) if word)
    named = origin.get("zoo") or origin.get("uri") or (origin.get("job") or {}).get("name")
    return _short(str(named or made or (f"{layers} of its layers" if layers else NONE)))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"…{text[-LONGEST + 1 :]}"
