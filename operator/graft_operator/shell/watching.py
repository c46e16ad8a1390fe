"""kopf as source of events, and of nothing else: no finalizers, no annotations, no peering."""

from __future__ import annotations

import asyncio
from typing import Any

import kopf

from graft_api.kinds import KINDS
from graft_api.vocabulary import GROUP, VERSION, Label
from graft_operator.cluster.requests import PATHS
from graft_operator.settings import Settings
from graft_operator.shell import arrivals
from graft_operator.shell.arrivals import JOB
from graft_operator.shell.state import State
from graft_operator.shell.unchanged import Nothing

SERVER_SECONDS = 270
CLIENT_SECONDS = 300
# kopf keeps a task and the last event of every object so long after it: of 20,000 objects 150 MB.
IDLE_SECONDS = 0.3


def watch(state: State, settings: Settings) -> None:
    """Runs kopf on this thread until the process is asked to end."""
    registry = kopf.OperatorRegistry()
    _register(registry, state)
    asyncio.run(
        kopf.operator(
            registry=registry,
            settings=_settings(),
            standalone=True,
            clusterwide=not settings.namespaces,
            namespaces=settings.namespaces,
        )
    )


def _settings() -> kopf.OperatorSettings:
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.scanning.disabled = True
    chosen.peering.standalone = True
    chosen.persistence.consistency_timeout = 0
    chosen.persistence.diffbase_storage = Nothing()
    chosen.persistence.progress_storage = kopf.MultiProgressStorage([])
    chosen.watching.server_timeout = SERVER_SECONDS
    chosen.watching.client_timeout = CLIENT_SECONDS
    chosen.watching.label_selectors["batch", "v1", "jobs"] = Label.JOB
    chosen.watching.chunk_size = 500
    chosen.queueing.idle_timeout = IDLE_SECONDS
    chosen.networking.request_timeout = 30
    return chosen


def _register(registry: kopf.OperatorRegistry, state: State) -> None:
    kopf.on.login(registry=registry)(_login)
    for kind in KINDS:
        handler = _on(state, kind)
        kopf.on.event(GROUP, VERSION, PATHS[kind][1], registry=registry, id=kind)(handler)
    kopf.on.event("batch", "v1", "jobs", labels={Label.JOB: kopf.PRESENT}, registry=registry)(
        _on(state, JOB)
    )


async def _login(**known: Any) -> Any:
    return kopf.login_with_service_account(**known) or kopf.login_with_kubeconfig(**known)


def _on(state: State, kind: str) -> Any:
    async def came(event: Any, **_: Any) -> None:
        raw = event["object"]
        if event["type"] == "DELETED":
            arrivals.went(state, raw, kind=kind)
        else:
            arrivals.came(state, raw, kind=kind)

    return came
