"""A ServeDeployment as people read it: columns, one line, its sheet. Pure: raw objects to text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from . import view

Object = Mapping[str, Any]
KIND = "ServeDeployment"
HEAD = ("KIND", "NAME", "STATE", "READY", "MODEL", "DIGEST", "AGE")
DIGITS = 12  # of a digest, as the servers tell their version


def is_served(raw: Object) -> bool:
    """Whether the object answers requests rather than ends."""
    return bool(raw.get("kind") == KIND)


def state(raw: Object) -> str:
    """Ready, Waiting for a job, Degraded, NotReady; New where no operator has looked at it."""
    ready = view.condition(raw, "Ready")
    if not ready:
        return "New"
    if view.holds(raw, "Degraded"):
        return "Degraded"
    if ready.get("status") == "True":
        return "Ready"
    return "Waiting" if ready.get("reason") == "WaitingForJob" else "NotReady"


def word(raw: Object) -> str:
    """The state of a deployment, the phase of a job."""
    return state(raw) if is_served(raw) else view.phase(raw)


def ready(raw: Object) -> str:
    """`2/2`: pods that answer, and pods wanted."""
    known = view.status(raw)
    shown = (known.get("display") or {}).get("ready")
    wanted = raw["spec"].get("replicas", 1)
    return str(shown or f"{known.get('readyReplicas') or 0}/{wanted}")


def model(raw: Object) -> str:
    """What the file names: a job's name, or the last part of a path."""
    origin = (raw["spec"].get("model") or {}).get("from") or {}
    job = origin.get("job") or {}
    named = origin.get("zoo") or str(origin.get("uri") or "").rstrip("/").rpartition("/")[2]
    return str(job.get("name") or named)


def digest(raw: Object) -> str:
    """The first digits of the digest of the model that answers; empty where none does."""
    known = view.status(raw).get("model") or {}
    told = str(known.get("digest") or known.get("name") or "")
    plain = told.removeprefix("sha256:").removeprefix("sha256-")
    return plain[:DIGITS] if plain != told else ""


def row(raw: Object, now: datetime) -> tuple[str, ...]:
    """The deployment's line in the table of `graft ls`."""
    meta = raw["metadata"]
    told = (state(raw), ready(raw), model(raw), digest(raw))
    born = view.moment(meta.get("creationTimestamp"))
    age = view.age((now - born).total_seconds()) if born else ""
    return tuple(cell or "-" for cell in (KIND, meta["name"], *told, age))


def asked(spec: Object) -> dict[str, str]:
    """What was asked for, by name, as far as it was."""
    scaling, runtime = spec.get("autoscaling") or {}, spec.get("runtime") or {}
    resources = spec.get("resources") or {}
    origin = (spec.get("model") or {}).get("from") or {}
    told = {
        "model": " ".join(_named(key, value) for key, value in origin.items()),
        "replicas": str(spec.get("replicas", 1)),
        "autoscaling": f"{scaling.get('min', 1)} to {scaling.get('max')}" if scaling else "",
        "runtime": " ".join(str(v) for k in ("name", "precision") if (v := runtime.get(k))),
        "resources": ", ".join(f"{key} {value}" for key, value in resources.items() if value),
    }
    return {name: value for name, value in told.items() if value}


def answers(raw: Object) -> dict[str, str]:
    """Which model answers where, and how far a new one has come."""
    known = view.status(raw)
    block, rollout = known.get("model") or {}, known.get("rollout") or {}
    told = {
        "ready": ready(raw) if known else "",
        "url": known.get("url"),
        "model": block.get("uri"),
        "digest": block.get("digest"),
        "roll-out": " ".join(str(v) for k in ("state", "message") if (v := rollout.get(k))),
        "new model": rollout.get("uri"),
    }
    return {name: str(value) for name, value in told.items() if value}


def _named(key: str, value: Any) -> str:
    return f"{key} {'/'.join(map(str, value.values())) if isinstance(value, dict) else value}"
