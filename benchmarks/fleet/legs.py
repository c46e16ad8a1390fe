"""What is done to a contestant: a burst of jobs, quiet, lost children, a crash."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.fleet import histogram, load, witness
from benchmarks.fleet.contestants import Contestant
from benchmarks.fleet.load import CHILDREN, PODS, POLICIES, Crowd
from benchmarks.fleet.plane import Plane
from benchmarks.laps import Lap
from benchmarks.peers.children import children
from tests.cluster import audit
from tests.cluster.wait import until

LONGEST = 1800.0
LAG = "graft_reconcile_lag_seconds"
DRIP_SECONDS = 0.05  # between two lost children
MEBI = 2**20
NAME, UID = "name-of-job", "uid-of-job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A number of jobs on a plane, and how long is looked at quiet.

    What was to be written has been after `calm_seconds` without a write.
    """

    plane: Plane
    jobs: int
    watch_seconds: float
    calm_seconds: float


def burst(leg: Leg, contestant: Contestant) -> Lap:
    """All jobs at once, until the last has its child Job; the operator's CPU time."""
    before = contestant.cpu()
    load.create(leg.plane, leg.jobs)
    _wait_for_children(leg)
    return _lap(leg, contestant.cpu() - before)


def bare(leg: Leg) -> Lap:
    """The same writes by a program that only writes: what the server can take at the most."""
    parts = [json.dumps(body) for body in children(_named(NAME, UID))]

    def write(crowd: Crowd, answer: bytes) -> None:
        about = json.loads(answer)["metadata"]
        for path, text in zip((POLICIES, CHILDREN), parts, strict=True):
            own = text.replace(NAME, about["name"]).replace(UID, about["uid"])
            crowd.post(path, own.encode())

    before = time.process_time()
    load.create(leg.plane, leg.jobs, then=write)
    used = time.process_time() - before
    _wait_for_children(leg)
    return _lap(leg, used)


def settle(leg: Leg) -> float:
    """Seconds until every pod runs and nobody has written anything for a while.

    Every write of the Job controller is an event that the contestant has to look at.
    """
    began = time.monotonic()
    until(lambda: _all_run(leg), "every pod to run", seconds=LONGEST, pause=1.0)
    seen = [-1, time.monotonic()]

    def look() -> bool:
        count = witness.changes(leg.plane)
        if count != seen[0]:
            seen[:] = count, time.monotonic()
        return time.monotonic() - seen[1] >= leg.calm_seconds

    until(look, "the writes to end", seconds=LONGEST, pause=min(leg.calm_seconds / 2, 2.0))
    return max(time.monotonic() - began - leg.calm_seconds, 0.0)


def quiet(leg: Leg, contestant: Contestant) -> Mapping[str, float]:
    """What a settled fleet costs: writes, CPU share, memory; the audit log is the witness."""
    since, cpu, began = audit.now(), contestant.cpu(), time.monotonic()
    until(
        lambda: time.monotonic() - began >= leg.watch_seconds,
        "the end of the watch",
        seconds=leg.watch_seconds + 60,
        pause=1.0,
    )
    seconds = time.monotonic() - began
    asked = [one for one in witness.by(leg.plane, since) if not one.writes]
    return {
        "seconds": round(seconds, 1),
        "writes": witness.writes(leg.plane, since),
        "readsPerSecond": round(len(asked) / seconds, 2),
        "cpuShare": round((contestant.cpu() - cpu) / seconds, 4),
        "residentMiB": round(contestant.resident() / MEBI, 1),
    }


def losses(leg: Leg, contestant: Contestant, *, count: int) -> Mapping[str, Any]:
    """Child Jobs are deleted one after the other; how soon the operator acts on each."""
    before, since = contestant.series(f"{LAG}_bucket"), audit.now()
    crowd = Crowd(leg.plane)
    for number in range(count):
        crowd.delete(f"{CHILDREN}/{load.name_of(number)}-p1")
        time.sleep(DRIP_SECONDS)  # the pace of the load
    _wait_for_children(leg)
    settle(leg)
    waited = witness.reactions(leg.plane, since)
    after = contestant.series(f"{LAG}_bucket")
    return {
        "children": count,
        "toThePost": histogram.ranks(waited),
        "queueLag": histogram.difference(before, after),
    }


def crash(leg: Leg, contestant: Contestant) -> Mapping[str, float]:
    """SIGKILL and a new start: when it is ready, when it has seen all, what it wrote."""
    contestant.kill()
    since = audit.now()
    ready = contestant.start()
    known = contestant.idle(seconds=LONGEST)
    settle(leg)
    return {
        "readySeconds": round(ready, 2),
        "idleSeconds": round(known, 2),
        "cpuSeconds": round(contestant.cpu(), 2),
        "writes": witness.writes(leg.plane, since),
        "residentMiB": round(contestant.resident() / MEBI, 1),
    }


def _wait_for_children(leg: Leg) -> None:
    until(
        lambda: leg.plane.count(CHILDREN) >= leg.jobs,
        f"{leg.jobs} child Jobs",
        seconds=LONGEST,
        pause=0.25,
    )


def _all_run(leg: Leg) -> bool:
    others = {"fieldSelector": "status.phase!=Running", "limit": "1"}
    if leg.plane.api.request("GET", PODS, query=others)["items"]:
        return False
    return leg.plane.count(PODS) >= leg.jobs


def _lap(leg: Leg, cpu: float) -> Lap:
    return Lap(units={"jobs": leg.jobs}, cpu=cpu, wall=witness.seconds(leg.plane))


def _named(name: str, uid: str) -> Mapping[str, Any]:
    job = load.transfer_job(name)
    return job | {"metadata": job["metadata"] | {"uid": uid, "resourceVersion": "1"}}
