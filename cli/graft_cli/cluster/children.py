"""What the operator made for a job: its batch Jobs and its pods."""

from __future__ import annotations

from collections.abc import Iterable

from graft_api.vocabulary import Label, Role
from graft_operator.cluster import reading
from graft_operator.cluster.requests import Ref
from graft_operator.observed import ChildJob, Pod

from .api import Api
from .naming import Found

LETTERS = {Role.WORKER: "w", Role.PREPARE: "p", Role.RENDEZVOUS: "r"}


def selector(found: Found) -> str:
    """The labels of everything that belongs to the job."""
    return f"{Label.JOB}={found.ref.name},{Label.KIND}={found.ref.kind}"


def pods(api: Api, found: Found) -> tuple[Pod, ...]:
    """Its pods by attempt, role, index and age."""
    ref = Ref(kind="Pod", namespace=found.ref.namespace)
    return in_order(reading.pod(raw) for raw in api.items(ref, {"labelSelector": selector(found)}))


def in_order(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """The pods by attempt, role, index and age."""
    return tuple(sorted(pods, key=lambda p: (p.attempt, p.role, p.index, p.created, p.name)))


def batch_jobs(api: Api, found: Found) -> tuple[ChildJob, ...]:
    """Its batch Jobs by attempt and age."""
    ref = Ref(kind="Job", namespace=found.ref.namespace)
    raws = api.items(ref, {"labelSelector": selector(found)})
    jobs = (reading.child_job(raw) for raw in raws)
    return tuple(sorted(jobs, key=lambda j: (j.attempt, j.created, j.name)))


def short(pod: Pod) -> str:
    """`w1`: what a pod is, and its index."""
    return f"{LETTERS.get(Role(pod.role), '') if pod.role in list(Role) else '?'}{pod.index}"


def failed(pod: Pod) -> bool:
    """Whether the pod ended badly."""
    return pod.phase == "Failed" or pod.exit_code not in (None, 0)
