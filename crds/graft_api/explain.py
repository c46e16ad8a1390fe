"""A Plan as YAML for people: what will run, with what, for how long."""

from __future__ import annotations

import json
from typing import Any

import yaml

from .plan import Gang, Plan, Stage, Variable

_UNITS = (("d", 86400), ("h", 3600), ("m", 60))


def explain(plan: Plan) -> str:
    """The plan as YAML text; equal plans give equal texts."""
    shown = {
        "kind": plan.kind,
        "name": plan.name,
        "digest": plan.digest(),
        "stages": [_stage(stage) for stage in plan.stages],
        "job": plan.resolved(),
    }
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=100)


def _stage(stage: Stage) -> dict[str, Any]:
    budget, resources = stage.budget, stage.resources
    shown: dict[str, Any] = {
        "name": stage.name,
        "run": " ".join(stage.argv),
        "after": list(stage.needs),
        "workers": _workers(stage.gang),
        "processesPerWorker": stage.gang.processes,
        "resourcesPerWorker": {"cpu": resources.cpu, "memory": resources.memory}
        | ({resources.gpu_resource: resources.gpu} if resources.gpu else {}),
        "restarts": f"{budget.restarts} within {duration(budget.window_seconds)}",
        "deadlines": {
            "start": duration(budget.start_seconds),
            "active": duration(budget.active_seconds),
        },
        "env": {variable.name: _value(variable) for variable in stage.env},
        "volumes": {mount.path: f"{mount.kind} {mount.name}" for mount in stage.mounts},
        "secrets": list(stage.secrets),
    }
    return {name: value for name, value in shown.items() if value not in ([], {})}


def _workers(gang: Gang) -> str | int:
    if gang.min == gang.max:
        return gang.desired
    return f"{gang.desired}, elastic from {gang.min} to {gang.max}"


def _value(variable: Variable) -> Any:
    return json.loads(variable.value_from) if variable.value_from else variable.value


def duration(seconds: float) -> str:
    """The time in the largest unit that is whole: `7d`, `90m`, `1.5s`."""
    for unit, length in _UNITS:
        if seconds and seconds % length == 0:
            return f"{int(seconds // length)}{unit}"
    return f"{seconds:g}s"
