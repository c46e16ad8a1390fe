"""K1: a thousand TransferJobs at once, quiet, lost children, a crash. K2: ten thousand, ours alone.

Each operator has an empty control plane of its own and makes the same children, to the letter. The
bare writer posts those children and does nothing else: what the server can take at the most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import outcome
from benchmarks.fleet import legs, plane, witness
from benchmarks.fleet.contestants import Contestant
from benchmarks.fleet.legs import Leg
from benchmarks.settings import Settings

TITLE = "an operator under a thousand TransferJobs"
MANY = "an operator under ten thousand TransferJobs"
PEERS = ("default", "tuned")
MEBI = 2**20
CALM_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is asked for."""

    jobs: int
    many: int
    losses: int
    ours_seconds: float  # of quiet that are watched
    peers_seconds: float
    peers_calm_seconds: float

    def watch(self, name: str) -> float:
        """Seconds of quiet that are watched."""
        return self.ours_seconds if name == "ours" else self.peers_seconds

    def calm(self, name: str) -> float:
        """Seconds without a write after which its fleet is settled."""
        return CALM_SECONDS if name == "ours" else self.peers_calm_seconds


REAL = Sizes(
    jobs=1000, many=10_000, losses=200, ours_seconds=60, peers_seconds=20, peers_calm_seconds=5
)
QUICK = Sizes(jobs=20, many=30, losses=5, ours_seconds=5, peers_seconds=1, peers_calm_seconds=1)


def run(name: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The content of the row's result file; `folder` is what rows that train need."""
    del folder
    sizes = QUICK if settings.quick else REAL
    fleet: dict[str, Any] = {"jobs": sizes.jobs, "bare": _bare(sizes)}
    for contestant in ("ours", *PEERS):
        fleet[contestant] = _course(contestant, sizes)
    return outcome.told(name, TITLE, {"fleet": fleet}, faults=_faults(fleet), settings=settings)


def run_many(name: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """The same of ten thousand jobs; no peer is asked for these."""
    del folder
    sizes = QUICK if settings.quick else REAL
    fleet = {"jobs": sizes.many, "ours": _many(sizes)}
    return outcome.told(name, MANY, {"fleet": fleet}, faults=_faults(fleet), settings=settings)


def _bare(sizes: Sizes) -> Mapping[str, float]:
    with plane.fresh(pods=sizes.jobs) as server:
        lap = legs.bare(_leg(server, sizes, "bare"))
        return {"seconds": round(lap.wall, 1), "children": witness.children(server)["jobs"]}


def _course(name: str, sizes: Sizes) -> dict[str, Any]:
    """Everything that is done to one contestant, on a plane of its own."""
    with _started(name, sizes.jobs) as (server, contestant):
        leg = _leg(server, sizes, name)
        found = _burst(leg, contestant) | {"quiet": legs.quiet(leg, contestant)}
        if name == "ours":
            found["losses"] = legs.losses(leg, contestant, count=sizes.losses)
        return found | {"crash": legs.crash(leg, contestant)}


def _many(sizes: Sizes) -> dict[str, Any]:
    with _started("ours", sizes.many) as (server, contestant):
        leg = _leg(server, sizes, "ours", jobs=sizes.many)
        found = _burst(leg, contestant) | {"quiet": legs.quiet(leg, contestant)}
        return found | {"crash": legs.crash(leg, contestant)}


@contextmanager
def _started(name: str, jobs: int) -> Iterator[tuple[plane.Plane, Contestant]]:
    with plane.fresh(pods=jobs) as server:
        contestant = Contestant(name=name, plane=server)
        contestant.start()
        try:
            yield server, contestant
        finally:
            contestant.kill()


def _burst(leg: Leg, contestant: Contestant) -> dict[str, Any]:
    lap = legs.burst(leg, contestant)
    settled = legs.settle(leg)
    return {
        "seconds": round(lap.wall, 1),
        "cpuSeconds": round(lap.cpu, 1),
        "settledAfter": round(settled, 1),
        "children": witness.children(leg.plane)["jobs"],
        "residentMiB": round(contestant.resident() / MEBI, 1),
        "requestsPerJob": witness.per_job(leg.plane, leg.jobs),
    }


def _leg(server: plane.Plane, sizes: Sizes, name: str, *, jobs: int | None = None) -> Leg:
    return Leg(
        plane=server,
        jobs=sizes.jobs if jobs is None else jobs,
        watch_seconds=sizes.watch(name),
        calm_seconds=sizes.calm(name),
    )


def _faults(fleet: Mapping[str, Any]) -> tuple[str, ...]:
    """Contestants that did not make each child once."""
    made = {name: fleet[name]["children"] for name in ("bare", "ours", *PEERS) if name in fleet}
    return tuple(
        f"{name} made {count} child Jobs of {fleet['jobs']}"
        for name, count in made.items()
        if count != fleet["jobs"]
    )
