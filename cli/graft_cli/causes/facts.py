"""What was gathered of a job: the object, its children, events, the operator's sign of life."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graft_api.vocabulary import Role
from graft_operator.observed import ChildJob, Pod
from graft_operator.policies.waiting import REMEDIES

Object = Mapping[str, Any]
SERVE = "ServeDeployment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason, in sentences, and what to do about it."""

    name: str
    says: str
    do: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that the cluster said; `about` is `Pod/reviews-t1-0`."""

    type: str
    reason: str
    about: str
    note: str
    time: datetime
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The operator's Lease; `age` in seconds since it was renewed, None where there is no Lease."""

    namespace: str
    holder: str = ""
    age: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The queue that the job waits in: whether Kueue and the queue are there, and what they say."""

    installed: bool
    exists: bool = False
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What `graft why` rests on; `operator` and `claims` are None where nobody may look.

    So is `queue`, and where the job waits in none.
    """

    raw: Object
    now: datetime
    operator: Operator | None = None
    queue: Queue | None = None
    jobs: tuple[ChildJob, ...] = ()
    pods: tuple[Pod, ...] = ()
    events: tuple[Event, ...] = ()  # newest first
    claims: Mapping[str, Object] | None = None
    excerpt: tuple[str, ...] = ()  # the end of the failed worker's log

    @property
    def name(self) -> str:
        """Name of the job."""
        return str(self.raw["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.raw["metadata"]["namespace"])

    @property
    def noun(self) -> str:
        """What it is called in sentences."""
        return "deployment" if self.raw["kind"] == SERVE else "job"

    @property
    def spec(self) -> Object:
        """What was asked for."""
        found: Object = self.raw["spec"]
        return found

    @property
    def status(self) -> Object:
        """What the operator wrote."""
        found: Object = self.raw.get("status") or {}
        return found

    @property
    def failure(self) -> Object:
        """The first failure of the last attempt; empty where there is none."""
        found: Object = self.status.get("failure") or {}
        return found

    @property
    def age(self) -> float:
        """Seconds since the job was made."""
        return (
            self.now - datetime.fromisoformat(self.raw["metadata"]["creationTimestamp"])
        ).total_seconds()

    def condition(self, kind: str) -> Object:
        """The condition of that type; empty where there is none."""
        return next((c for c in self.status.get("conditions") or () if c["type"] == kind), {})

    def holds(self, kind: str) -> bool:
        """Whether the condition is True."""
        return bool(self.condition(kind).get("status") == "True")

    def reason(self, kind: str) -> str:
        """Reason of the condition; empty where there is none."""
        return str(self.condition(kind).get("reason") or "")

    def message(self, kind: str) -> str:
        """Message of the condition."""
        return str(self.condition(kind).get("message") or "")

    @property
    def ended(self) -> bool:
        """Whether the job is over."""
        return self.holds("Complete") or self.holds("Failed")

    @property
    def attempt(self) -> int:
        """The attempt that is due."""
        return int(self.status.get("attempt") or max((p.attempt for p in self.pods), default=1))

    def current(self) -> Iterator[Pod]:
        """The pods of the attempt that is due."""
        return (pod for pod in self.pods if pod.attempt == self.attempt)

    def waiting(self) -> Iterator[Pod]:
        """Pods of the attempt that is due that have not started."""
        return (p for p in self.current() if not p.started and not p.over and p.deleting is None)

    def workers(self) -> Iterator[Pod]:
        """Pods of the attempt that is due that prepare or train."""
        return (pod for pod in self.current() if pod.role != Role.RENDEZVOUS)

    def refusals(self) -> Iterator[str]:
        """The words with which children were refused: those of the operator first."""
        if self.reason("Ready") == "ChildCreateFailed":
            yield self.message("Ready")
        if (reason := self.reason("Running")) in REMEDIES:
            yield self.message("Running").removesuffix(f"; {REMEDIES[reason]}")
        short = [job for job in self.jobs if not job.over and job.active < job.parallelism]
        made = {f"Job/{job.name}" for job in short if job.attempt == self.attempt}
        told = (e for e in self.events if e.reason == "FailedCreate")
        yield from (e.note for e in told if e.about in made or self._refuses(e.about))

    def _refuses(self, about: str) -> bool:
        """Whether that makes pods of a deployment that lacks some."""
        replicas = about.startswith(f"ReplicaSet/{self.name}-serve-")
        return replicas and not self.holds("Available")


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `5 h`, `3 days`."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def sentence(text: str) -> str:
    """The text without the white space and the full stop at its end."""
    return text.strip().rstrip(".")
