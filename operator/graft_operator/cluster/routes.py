"""An HTTPRoute as the API server sends it, to what the core knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graft_operator.observed import Route
from graft_operator.render.routing import share

CONDITIONS = ("Accepted", "ResolvedRefs")


def route(raw: Mapping[str, Any]) -> Route:
    """The route, with what the controller of its Gateway says of it as it is now."""
    told = tuple(_told(raw))
    no = next((c for c in told if c["status"] == "False"), None)
    yes = any(c["type"] == "Accepted" and c["status"] == "True" for c in told)
    return Route(
        weight=share(raw["spec"]),
        accepted=False if no else (True if yes else None),
        message=str(no.get("message") or no.get("reason") or "") if no else "",
    )


def _told(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What was said of the Gateways that it names, not of those that it named before."""
    named = [_gateway(parent) for parent in raw["spec"].get("parentRefs") or ()]
    for parent in (raw.get("status") or {}).get("parents") or ():
        if _gateway(parent["parentRef"]) in named:
            found = parent.get("conditions") or ()
            yield from (c for c in found if c["type"] in CONDITIONS)


def _gateway(parent: Mapping[str, Any]) -> tuple[Any, ...]:
    return parent.get("namespace"), parent["name"], parent.get("sectionName")
