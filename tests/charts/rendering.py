"""The chart as helm renders it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.charts.binaries import run

Object = dict[str, Any]
CHART = Path(__file__).parents[2] / "charts" / "graft"
NAMESPACE = "graft-system"
DIGEST = "sha256:" + "ab" * 32
EVERYTHING: Object = {
    "replicas": 2,
    "kueue": {"enabled": True},
    "networkPolicy": {"enabled": True},
    "serve": {"gateway": True, "prometheus": "http://prometheus:9090"},
    "monitoring": {
        "serviceMonitor": {"enabled": True},
        "podMonitor": {"enabled": True},
        "rules": {"enabled": True},
        "dashboards": {"enabled": True},
    },
}
NAMESPACED: Object = EVERYTHING | {"namespaces": ["team-a", "team-b"], "crds": {"install": False}}


def rendered(values: Object | None = None, *, release: str = "graft") -> tuple[Object, ...]:
    """Every object of a release with these values."""
    return _rendered(json.dumps(values or {}), release)


def of_kind(objects: tuple[Object, ...], kind: str) -> list[Object]:
    """The objects of that kind, in the order of helm."""
    return [each for each in objects if each["kind"] == kind]


def one(objects: tuple[Object, ...], kind: str) -> Object:
    """The only object of that kind."""
    [found] = of_kind(objects, kind)
    return found


def operator(values: Object | None = None) -> Object:
    """The operator's pod."""
    pod: Object = one(rendered(values), "Deployment")["spec"]["template"]["spec"]
    return pod


def container(values: Object | None = None) -> Object:
    """Its only container."""
    [found] = operator(values)["containers"]
    return dict(found)


def refusal(values: Object) -> str:
    """What helm says instead of rendering."""
    result = _template(json.dumps(values), "graft")
    assert result.returncode != 0, result.stdout
    return result.stderr


@cache
def _rendered(values: str, release: str) -> tuple[Object, ...]:
    result = _template(values, release)
    assert result.returncode == 0, result.stderr
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(each for each in yaml.load_all(result.stdout, loader) if each)


def _template(values: str, release: str) -> Any:
    given = [f"--set-json={name}={json.dumps(value)}" for name, value in json.loads(values).items()]
    return run("helm", "template", release, str(CHART), f"--namespace={NAMESPACE}", *given)
