"""Who may lead: by what the Lease says and by one's own clock, never by the clock of another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """In seconds: a Lease holds so long after a renewal, its holder acts so long on one."""

    holds: int = 15
    acts: float = 10.0  # less than it holds, for what is under way when it ends
    pause: float = 2.0  # between two looks or renewals

    def patience(self, left: float) -> float:
        """How long a request may take, so that another still has its turn in what is left."""
        return min(self.acts / 2, max(left, self.pause / 10))


TERMS = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who holds it, and the version that was read."""

    holder: str
    renewed: str  # by its holder's clock: compared with itself, never with ours
    holds: float  # seconds after a renewal, as its holder promises
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The Lease as it was read last; None where nobody has made it."""

    lease: Lease | None
    since: float  # when this replica first saw this holder with this renewal


def seen(before: Sight | None, lease: Lease | None, *, now: float) -> Sight:
    """The newest sight, as old as the first one of the same renewal."""
    kept = before is not None and _renewal(before.lease) == _renewal(lease)
    return Sight(lease=lease, since=before.since if before and kept else now)


def wait(sight: Sight, *, me: str, now: float) -> float:
    """The seconds until `me` may take the Lease; 0: at once."""
    if sight.lease is None or sight.lease.holder in ("", me):
        return 0.0
    return max(0.0, sight.since + sight.lease.holds - now)


def claim(old: Lease | None, *, holder: str, now: datetime, terms: Terms) -> dict[str, Any]:
    """The spec by which the holder takes or renews the Lease; `now` is for those who read it."""
    spec: dict[str, Any] = {
        "holderIdentity": holder,
        "leaseDurationSeconds": terms.holds,
        "renewTime": _micro(now),
    }
    if old is None or old.holder != holder:
        spec["acquireTime"] = _micro(now)
    return spec


def _renewal(lease: Lease | None) -> tuple[str, str] | None:
    # Not the version: whoever annotates the Lease of a dead leader does not keep it alive.
    return (lease.holder, lease.renewed) if lease else None


def _micro(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
