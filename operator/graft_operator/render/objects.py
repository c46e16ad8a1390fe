"""All objects of an attempt, in the order in which they are made; the Job is the last."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from graft_operator.render.attempt import Attempt
from graft_operator.render.claims import store_claim
from graft_operator.render.jobs import indexed_job
from graft_operator.render.network import headless_service, network_policy, store_service
from graft_operator.render.rendezvous import store_pod

Object = dict[str, Any]
Renderer = Callable[[Attempt], tuple[Object, ...]]

RENDERERS: tuple[Renderer, ...] = (
    store_claim,
    network_policy,
    headless_service,
    store_service,
    store_pod,
    indexed_job,
)


def render(attempt: Attempt) -> tuple[Object, ...]:
    """The objects of the attempt as plain data; equal attempts give equal objects."""
    made = [body for renderer in RENDERERS for body in renderer(attempt)]
    # Through JSON once: no words of ours, such as enums, and nothing shared between objects.
    return tuple(json.loads(json.dumps(made)))
