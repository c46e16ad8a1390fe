"""What was seen of a job: its own object, its children, its pods, its workers' words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from graft_api.progress import ProgressReport
from graft_api.references import Reference
from graft_api.vocabulary import API_VERSION

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The custom resource under reconcile, as the server holds it."""

    kind: str
    namespace: str
    name: str
    uid: str
    generation: int
    version: int  # resourceVersion
    created: datetime
    spec: Object
    status: Object = field(default_factory=dict)
    deleting: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace and name: what the queue holds."""
        return self.kind, self.namespace, self.name

    def manifest(self) -> dict[str, Any]:
        """The object as a person would write it, for the decoder."""
        meta = {"name": self.name, "namespace": self.namespace, "generation": self.generation}
        return {
            "apiVersion": API_VERSION,
            "kind": self.kind,
            "metadata": meta,
            "spec": dict(self.spec),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildJob:
    """A batch Job of ours: one attempt at one stage."""

    name: str
    uid: str
    owner: str  # UID of the custom resource
    role: str
    attempt: int
    plan: str  # digest of the plan it was made from
    created: datetime
    version: int = field(default=0, compare=False)  # resourceVersion, which says nothing by itself
    parallelism: int = 1
    active: int = 0
    ready: int = 0
    terminating: int = 0
    failed: int = 0
    succeeded: int = 0
    suspended: bool = False
    deleting: bool = False
    complete: bool = False
    failure: str = ""  # reason of the condition Failed, empty unless it failed
    failure_message: str = ""

    @property
    def over(self) -> bool:
        """Whether the Job has ended, one way or the other."""
        return self.complete or bool(self.failure)

    @property
    def calm(self) -> bool:
        """Whether its pods are as they should be, so that there is nothing to see in them.

        A pod that fails, leaves or loses its node changes a count of its Job first.
        """
        if self.over or self.deleting or self.terminating or self.failed:
            return False
        if self.suspended:
            return not self.active
        return self.ready == self.active == self.parallelism


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod of ours; empty words where the fact is not there."""

    name: str
    uid: str
    role: str
    attempt: int
    created: datetime
    index: int = 0
    variant: str = ""  # a Variant, of a pod that answers requests
    node: str = ""
    address: str = ""
    phase: str = "Pending"
    ready: bool = False
    deleting: datetime | None = None
    started: bool = False
    exit_code: int | None = None
    ended: datetime | None = None
    reason: str = ""  # why the container or the pod ended: OOMKilled, Evicted, ...
    words: str = ""  # the termination message
    disruption: str = ""  # reason of the condition DisruptionTarget
    unscheduled: str = ""  # the scheduler's words
    waiting: str = ""  # reason for which the container waits, such as ImagePullBackOff
    waiting_message: str = ""
    node_lost: datetime | None = None  # since when its node does not answer

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.phase in ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred:
    """A job that this one reads."""

    reference: Reference
    phase: str = ""  # empty: there is none of that name
    uri: str = ""  # of its artefact, once it is Complete
    digest: str = ""
    pinned: bool = False  # the status says so already


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A child of a ServeDeployment."""

    uid: str
    stamp: str  # digest of what it was made as


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The pods of a ServeDeployment as its Deployment counts them."""

    wanted: int = 0
    replicas: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    current: bool = False  # the counts belong to the newest template
    stalled: bool = False  # its controller has given up waiting for the pods
    lacking: datetime | None = None  # since when pods that are wanted do not answer

    @property
    def complete(self) -> bool:
        """Whether all are of the newest template and answer, and no other is left."""
        return self.current and self.updated == self.available == self.replicas == self.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Predictions that servers gave, as their counters and their histogram of latencies tell."""

    requests: float = 0.0
    failed: float = 0.0  # through a fault or the load of the server
    slots: tuple[tuple[float, float], ...] = ()  # seconds, and how many took at most so long


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The second Deployment of a ServeDeployment, whose pods have a model on trial."""

    child: Child
    deployed: Deployed
    broken: str = ""  # why a server of it will never be ready, in its own words
    answers: Answers = field(default_factory=Answers)  # since its step began


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The HTTPRoute of a ServeDeployment."""

    weight: int  # percent of its requests that it gives the canary
    accepted: bool | None = None  # by the controller of its Gateway; None: it has not said
    message: str = ""  # the controller's words where it refuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Apis:
    """Which APIs the cluster serves beside those of Kubernetes itself."""

    routes: bool = False  # HTTPRoutes of Gateway API
    scaled_objects: bool = False  # of KEDA
    pod_metrics: bool = False  # what a metrics adapter tells of pods


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Everything that a decision may rest on, beside the job itself and the time."""

    jobs: tuple[ChildJob, ...] = ()
    pods: tuple[Pod, ...] = ()
    report: ProgressReport | None = None
    report_error: str = ""  # why the newest look at the progress failed
    problems: tuple[str, ...] = ()  # the Job controller's complaints, newest first
    store_known: bool = False  # the namespace has its store claim
    refused: str = ""  # the server's words when a child could not be made last time
    referred: tuple[Referred, ...] = ()  # the jobs that this one reads
    circle: tuple[tuple[str, str, str], ...] = ()  # from this job through others back to it
    children: Mapping[str, Child] = field(default_factory=dict)  # by kind, of a ServeDeployment
    deployed: Deployed | None = None
    canary: Canary | None = None
    route: Route | None = None
    unscaled: str = ""  # why the autoscaler does not follow the queue, in its own words
    apis: Apis = field(default_factory=Apis)
    broken: str = ""  # why a server of it will never be ready, in its own words
    held: str = ""  # why a pod of it does not start
    conflict: str = ""  # a child of our name that belongs to another
    pause: timedelta = timedelta()  # the least until the next look at a job that only goes on

    def job(self, role: str, attempt: int) -> ChildJob | None:
        """The child of that role and attempt."""
        return next((j for j in self.jobs if (j.role, j.attempt) == (role, attempt)), None)

    def pods_of(self, job: ChildJob) -> tuple[Pod, ...]:
        """The pods of that child by index, newest of an index first."""
        mine = [p for p in self.pods if (p.role, p.attempt) == (job.role, job.attempt)]
        mine.sort(key=lambda p: p.created, reverse=True)
        return tuple(sorted(mine, key=lambda p: p.index))


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What status keeps of earlier decisions; read back so that a restart forgets nothing."""

    attempt: int = 1
    conditions: Mapping[str, Object] = field(default_factory=dict)
    restarts: Object = field(default_factory=dict)

    def is_true(self, kind: str) -> bool:
        """Whether that condition holds."""
        return bool(self.conditions.get(kind, {}).get("status") == "True")

    def since(self, kind: str, reason: str) -> datetime | None:
        """When that condition took the reason; None where it has another."""
        found = self.conditions.get(kind, {})
        if found.get("reason") != reason or "lastTransitionTime" not in found:
            return None
        return datetime.fromisoformat(found["lastTransitionTime"])


def memory(subject: Subject) -> Memory:
    """What the status remembers."""
    status = subject.status
    return Memory(
        attempt=int(status.get("attempt") or 1),
        conditions={c["type"]: c for c in status.get("conditions") or ()},
        restarts=status.get("restarts") or {},
    )
