"""Why the pods of an attempt do not run yet, in the words of who holds them."""

from __future__ import annotations

from datetime import timedelta

from graft_operator.observed import ChildJob, Pod
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Finding, false

PULLING = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
BROKEN = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
PATIENCE = timedelta(minutes=5)
REMEDIES = {
    "QuotaExceeded": "wait for others to end, ask for less, or have the quota raised",
    "PodsRefused": "correct what it names in the job, or have the cluster allow it",
}
NO_NODE = "see workers.resources and workers.podTemplate, or add a node"
NO_VOLUME = "see the claims of the namespace and their storage class"


def waiting(s: Situation, job: ChildJob) -> Finding:
    """The first thing that holds the gang up, or how far its start is."""
    if found := held(s, job):
        return found
    pods = [pod for pod in s.newest().values() if not pod.ready]
    for pod in pods:
        if pod.phase == "Pending" and pod.waiting == "ContainerCreating":
            return false("Starting", f"pod {pod.name} waits for its volumes and its container")
    if len(s.newest()) < job.parallelism:
        return false("WaitingForWorkers", "the pods are being made")
    return false("Starting", f"{len(pods)} of {job.parallelism} workers are starting")


def held(s: Situation, job: ChildJob) -> Finding | None:
    """The first thing that may hold the gang up for long; None while it only starts."""
    if job.suspended:
        return false("WaitingForWorkers", "the queue has not admitted the job yet")
    for pod in s.newest().values():
        if not pod.ready and (found := _held(pod)):
            return found
    if s.observed.problems and len(s.newest()) < job.parallelism:
        return _refused(s.observed.problems[0])
    return None


def pod_held(pod: Pod) -> str:
    """Why the pod does not start, in the words of who holds it; empty: nobody does."""
    if pod.ready:
        return ""
    if pod.unscheduled:
        return f"pod {pod.name} finds no node: {pod.unscheduled}"
    if pod.waiting and pod.waiting != "ContainerCreating":
        return f"pod {pod.name}: {pod.waiting}: {pod.waiting_message}"
    return ""


def stuck(s: Situation) -> Pod | None:
    """A pod that cannot start without a change of the job: its image or its references."""
    for pod in s.newest().values():
        if pod.waiting in PULLING and s.now - pod.created >= PATIENCE:
            return pod
        if pod.waiting == "InvalidImageName":
            return pod
    return None


def _refused(words: str) -> Finding:
    """Why the Job controller cannot make pods; a quota is the usual reason, and has a name."""
    reason = "QuotaExceeded" if "exceeded quota" in words else "PodsRefused"
    return false(reason, f"{words}; {REMEDIES[reason]}")


def _held(pod: Pod) -> Finding | None:
    if pod.unscheduled:
        volume = "persistentvolumeclaim" in pod.unscheduled.lower()
        message = f"pod {pod.name} finds no node: {pod.unscheduled.rstrip('.')}"
        return false("WaitingForWorkers", f"{message}; {NO_VOLUME if volume else NO_NODE}")
    if pod.waiting in PULLING:
        message = f"pod {pod.name}: {pod.waiting_message or pod.waiting}"
        return false("ImagePull", f"{message}; see workers.image and the pull secrets")
    if pod.waiting in BROKEN:
        message = pod.waiting_message or pod.waiting
        return false("ContainerConfig", f"pod {pod.name}: {message}; make it or correct the name")
    return None
