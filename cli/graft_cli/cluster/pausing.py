"""`spec.run.suspend` of a job, set."""

from __future__ import annotations

from graft_api.errors import ConfigError
from graft_operator.cluster.requests import merge

from . import view
from .api import MANAGER, Api, Object
from .naming import Found


def suspend(api: Api, found: Found, *, wanted: bool) -> bool:
    """Whether anything was changed.

    Raises:
        ConfigError: the job has ended already.
    """
    refuse_ended(found)
    if suspended(found.raw) == wanted:
        return False
    body = {"metadata": {"uid": found.raw["metadata"]["uid"]}, "spec": {"run": {"suspend": wanted}}}
    api.send(merge(found.ref, body, manager=MANAGER))
    return True


def suspended(raw: Object) -> bool:
    """Whether the person asked for a stop."""
    return bool((raw["spec"].get("run") or {}).get("suspend"))


def refuse_ended(found: Found) -> None:
    """Raises ConfigError for a job that has ended: nothing about it can be changed."""
    if view.ending(found.raw) is not None:
        raise ConfigError(
            f"{found.label} has ended already: {view.phase(found.raw)}",
            hint=f"`graft show {found.ref.name}` shows it",
        )
