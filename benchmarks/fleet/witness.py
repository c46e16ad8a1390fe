"""What the API server's audit log says of a contestant: when its children came, what it wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from benchmarks.fleet.plane import USER, Plane
from tests.cluster import audit
from tests.cluster.audit import Request, Who

RESTLESS = ("leases", "nodes")


def by(plane: Plane, since: datetime | None = None) -> list[Request]:
    """Requests of the contestant, leases aside."""
    asked = audit.requests(plane.settings, Who(user=USER), since=since)
    return [one for one in asked if one.resource != "leases"]


def writes(plane: Plane, since: datetime | None = None) -> int:
    """How often the contestant asked for a change, refused or not."""
    return sum(one.writes for one in by(plane, since))


def changes(plane: Plane) -> int:
    """How often anybody asked for a change; nodes and leases are never at rest."""
    asked = audit.requests(plane.settings)
    return sum(one.writes for one in asked if one.resource.partition("/")[0] not in RESTLESS)


def per_job(plane: Plane, jobs: int) -> Mapping[str, float]:
    """Requests of the contestant for each job, by verb and resource; lists and watches too."""
    counted = Counter(f"{one.verb} {one.resource}" for one in by(plane))
    return {name: round(count / jobs, 3) for name, count in sorted(counted.items())}


def children(plane: Plane) -> dict[str, int]:
    """How many children were made, by whoever made them."""
    made = Counter(one.resource for one in audit.requests(plane.settings) if _made(one))
    return {name: made[name] for name in ("jobs", "networkpolicies")}


def seconds(plane: Plane) -> float:
    """From the first job that came to the last child Job that was made."""
    asked = list(audit.requests(plane.settings))
    first = min(one.at for one in asked if one.verb == "create" and one.resource == "transferjobs")
    last = max(one.answered for one in asked if _made(one) and one.resource == "jobs")
    return (last - first).total_seconds()


def _made(one: Request) -> bool:
    return one.verb == "create" and one.status == 201


def reactions(plane: Plane, since: datetime) -> list[float]:
    """Seconds from the end of each child Job that somebody deleted to its replacement's POST."""
    gone: dict[str, datetime] = {}
    waited = []
    for one in sorted(audit.requests(plane.settings, since=since), key=lambda one: one.at):
        if one.resource != "jobs":
            continue
        if one.verb == "delete" and one.agent == "bench":
            gone[one.name] = one.answered
        elif one.verb == "create" and one.user == USER and one.name in gone:
            waited.append((one.at - gone.pop(one.name)).total_seconds())
    if gone:
        raise RuntimeError(f"{len(gone)} deleted Jobs were not replaced, such as {min(gone)}")
    return waited
