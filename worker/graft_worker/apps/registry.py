"""The AppZoo: from `spec.app` to an app, its columns and what it wants of the target."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from graft_api.app import App as Spec
from graft_api.app import canonical
from graft_api.errors import ConfigError
from graft_worker.apps import text_classify, text_match
from graft_worker.apps.app import App
from graft_worker.apps.networks import BICNN, TEXTCNN, Network
from graft_worker.apps.params import Params, read_params
from graft_worker.data.prepared import Problem
from graft_worker.data.rows import Role
from graft_worker.data.targets import TargetWish


class _Build(Protocol):
    def __call__(self, params: Params, *, problem: Problem, labels: tuple[str, ...]) -> App: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    roles: Callable[[Params], tuple[Role, ...]]
    build: _Build
    network: Network | None = None


_CLASSIFY = _Entry(roles=text_classify.roles, build=text_classify.build)
_MATCH = _Entry(roles=text_match.roles, build=text_match.build)
_APPS: Mapping[tuple[str, str], _Entry] = {
    (text_classify.NAME, "encoder"): _CLASSIFY,
    (text_classify.NAME, "textcnn"): replace(_CLASSIFY, network=TEXTCNN),
    (text_match.NAME, "single_tower"): _MATCH,
    (text_match.NAME, "bicnn"): replace(_MATCH, network=BICNN),
}


def build(spec: Spec, *, problem: Problem, labels: tuple[str, ...]) -> App:
    """The app that a job names, for data of which problem and labels are known.

    Raises:
        ConfigError: this version has no such app or variant, or a parameter is wrong.
    """
    entry, params = _found(spec)
    return entry.build(params, problem=problem, labels=labels)


def roles(spec: Spec) -> tuple[Role, ...]:
    """The columns that the app reads. Raises as `build` does."""
    entry, params = _found(spec)
    return entry.roles(params)


def network(spec: Spec) -> dict[str, Any] | None:
    """The config.json of the app's own network; None where it starts from `spec.model`.

    Raises as `build` does, and where a size cannot be used.
    """
    entry, params = _found(spec)
    return entry.network.config(spec.params, params.dropout) if entry.network else None


def wish(spec: Spec) -> TargetWish:
    """What the job says of the target before the data are read. Raises as `build` does."""
    params = _found(spec)[1]
    return TargetWish(problem=params.problem, labels=spec.labels, separator=params.separator)


def _found(spec: Spec) -> tuple[_Entry, Params]:
    app = canonical(spec)
    asked = (app.name or "", app.variant or "")
    if asked not in _APPS:
        raise _unavailable(*asked)
    entry = _APPS[asked]
    if entry.network is None:
        return entry, read_params(app.params)
    own = entry.network
    return entry, read_params(app.params, more=own.names, dropout=own.dropout)


def _unavailable(name: str, variant: str) -> ConfigError:
    known = sorted({app for app, _ in _APPS})
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    if name in known:
        variants = ", ".join(each for app, each in _APPS if app == name)
        return ConfigError(
            f"spec.app.variant: {variant} of {name} is not available in this version",
            hint=f"there is {variants}",
        )
    return ConfigError(f"spec.app.name: {name} is not available in this version", hint=hint)
