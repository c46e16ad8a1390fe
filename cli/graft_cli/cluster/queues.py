"""What Kueue says of a job that waits: whether it is installed, has the queue, and why it waits."""

from __future__ import annotations

from collections.abc import Iterable

from graft_cli.causes.facts import Queue
from graft_operator.cluster.requests import Request
from graft_operator.observed import ChildJob

from . import view
from .api import Api, Object, refusal
from .naming import Found

KUEUE = "kueue.x-k8s.io"
JOB = f"{KUEUE}/job-uid"


def waits(found: Found) -> bool:
    """Whether the job names a queue that has not admitted it."""
    return view.holds(found.raw, "Queued") and bool(_name(found))


def look(api: Api, found: Found, jobs: Iterable[ChildJob]) -> Queue:
    """The queue that the job names.

    Raises:
        EndedError: the server refuses, or does not answer.
    """
    group = _read(api, f"/apis/{KUEUE}")
    if group is None:
        return Queue(installed=False)
    version = (group.get("preferredVersion") or {}).get("groupVersion") or f"{KUEUE}/v1beta1"
    folder = f"/apis/{version}/namespaces/{found.ref.namespace}"
    queue = _read(api, f"{folder}/localqueues/{_name(found)}", kind="LocalQueue")
    if queue is None:
        return Queue(installed=True)
    said = _refusal(queue, "Active") or _workload(api, folder, jobs)
    return Queue(installed=True, exists=True, says=said)


def _workload(api: Api, folder: str, jobs: Iterable[ChildJob]) -> str:
    """The words of Kueue's own record of the batch Job that waits."""
    for job in (job for job in jobs if job.suspended and not job.over):
        path = f"{folder}/workloads?labelSelector={JOB}%3D{job.uid}"
        for workload in (_read(api, path, kind="Workload") or {}).get("items") or ():
            if said := _refusal(workload, "QuotaReserved"):
                return said
    return ""


def _refusal(raw: Object, kind: str) -> str:
    condition = view.condition(raw, kind)
    return str(condition.get("message") or "") if condition.get("status") == "False" else ""


def _read(api: Api, path: str, *, kind: str = "") -> Object | None:
    request = Request(verb="GET", path=path, kind=kind)
    answer = api.ask(request)
    if answer.code == 404:
        return None
    if not answer.ok:
        raise refusal(request, answer)
    data: Object = answer.json()
    return data


def _name(found: Found) -> str:
    return str((found.raw["spec"].get("run") or {}).get("queue") or "")
