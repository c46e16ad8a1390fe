"""Who asked the API server for what: its audit log, read and counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.cluster import api_server
from tests.cluster.settings import Settings

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that was answered; `resource` carries its part, such as `pods/status`."""

    at: datetime
    answered: datetime
    user: str
    agent: str
    verb: str
    resource: str
    namespace: str
    name: str
    status: int

    @property
    def writes(self) -> bool:
        """Whether it asked for a change."""
        return self.verb in WRITES


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Whose requests count: those whose user and program have names that begin so."""

    user: str = ""
    agent: str = ""
    namespace: str = ""


def now() -> datetime:
    """The time from which requests are to be counted."""
    return datetime.now(UTC)


def requests(
    settings: Settings, who: Who = Who(), *, since: datetime | None = None
) -> Iterator[Request]:
    """The requests of whoever is meant, in the order of their answers."""
    for line in _lines(api_server.audit_log(settings)):
        one = _request(line)
        if _meant(one, who) and (since is None or one.at >= since):
            yield one


def writes(
    settings: Settings, who: Who = Who(), *, since: datetime | None = None
) -> Counter[tuple[str, str, str]]:
    """How many requests for a change there were, by user, program and resource."""
    asked = requests(settings, who, since=since)
    return Counter((one.user, one.agent, one.resource) for one in asked if one.writes)


def _meant(one: Request, who: Who) -> bool:
    return (
        one.user.startswith(who.user)
        and one.agent.startswith(who.agent)
        and who.namespace in ("", one.namespace)
    )


def _request(line: str) -> Request:
    told = json.loads(line)
    about = told.get("objectRef") or {}
    part = f"/{about['subresource']}" if "subresource" in about else ""
    return Request(
        at=datetime.fromisoformat(told["requestReceivedTimestamp"]),
        answered=datetime.fromisoformat(told["stageTimestamp"]),
        user=told["user"].get("username", ""),
        agent=told.get("userAgent", ""),
        verb=told["verb"],
        resource=about.get("resource", told["requestURI"]) + part,
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        status=(told.get("responseStatus") or {}).get("code", 0),
    )


def _lines(path: Path) -> Iterator[str]:
    """Whole lines alone: the server may be writing the last one."""
    if path.is_file():
        with path.open(encoding="utf-8") as handle:
            yield from (line for line in handle if line.endswith("\n"))
