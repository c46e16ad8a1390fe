"""Objects as the API server sends them, to what the core knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from graft_api.vocabulary import Annotation, Label
from graft_operator.observed import ChildJob, Pod, Subject

INDEX = "batch.kubernetes.io/job-completion-index"
CONTAINER = "worker"
SERVER = "server"  # the container of a ServeDeployment
NEVER = datetime.min.replace(tzinfo=UTC)


def moment(text: str | None) -> datetime | None:
    """A time of the API server; None where there is none."""
    return datetime.fromisoformat(text) if text else None


def subject(raw: Mapping[str, Any], *, kind: str) -> Subject:
    """The custom resource."""
    meta = raw["metadata"]
    return Subject(
        kind=kind,
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        generation=int(meta.get("generation") or 1),
        version=int(meta["resourceVersion"]),
        created=moment(meta.get("creationTimestamp")) or NEVER,
        spec=raw.get("spec") or {},
        status=raw.get("status") or {},
        deleting="deletionTimestamp" in meta,
    )


def child_job(raw: Mapping[str, Any]) -> ChildJob:
    """The batch Job; labels and annotations that we did not write count as absent."""
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
    true = {c["type"]: c for c in status.get("conditions") or () if c["status"] == "True"}
    failed = true.get("Failed") or true.get("FailureTarget") or {}
    return ChildJob(
        name=meta["name"],
        uid=meta["uid"],
        owner=owner(meta),
        role=labels.get(Label.ROLE, ""),
        attempt=_number(labels.get(Label.ATTEMPT)),
        plan=notes.get(Annotation.PLAN, ""),
        created=moment(meta.get("creationTimestamp")) or NEVER,
        version=int(meta["resourceVersion"]),
        parallelism=spec.get("parallelism") or 0,
        active=status.get("active") or 0,
        ready=status.get("ready") or 0,
        terminating=status.get("terminating") or 0,
        failed=status.get("failed") or 0,
        succeeded=status.get("succeeded") or 0,
        suspended=bool(spec.get("suspend")),
        deleting="deletionTimestamp" in meta,
        complete="Complete" in true or "SuccessCriteriaMet" in true,
        failure=str(failed.get("reason") or "Failed") if failed else "",
        failure_message=str(failed.get("message") or ""),
    )


def owner(meta: Mapping[str, Any]) -> str:
    """UID of the controller that owns the object; empty where none does."""
    owners = meta.get("ownerReferences") or ()
    return next((str(o["uid"]) for o in owners if o.get("controller")), "")


def pod(raw: Mapping[str, Any]) -> Pod:
    """The pod, with the facts of its worker container and of its own conditions."""
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    labels = meta.get("labels") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or ()}
    state = _state(status.get("containerStatuses") or ())
    ended, waiting = state.get("terminated") or {}, state.get("waiting") or {}
    return Pod(
        name=meta["name"],
        uid=meta["uid"],
        role=labels.get(Label.ROLE, ""),
        attempt=_number(labels.get(Label.ATTEMPT)),
        created=moment(meta.get("creationTimestamp")) or NEVER,
        index=_number(labels.get(INDEX)),
        variant=labels.get(Label.VARIANT, ""),
        node=spec.get("nodeName") or "",
        address=status.get("podIP") or "",
        phase=status.get("phase") or "Pending",
        ready=_holds(conditions, "Ready"),
        deleting=_asked_to_end(meta),
        started=bool(state.get("running") or ended),
        exit_code=ended.get("exitCode"),
        ended=moment(ended.get("finishedAt")),
        reason=str(ended.get("reason") or status.get("reason") or ""),
        words=str(ended.get("message") or ""),
        disruption=_reason(conditions, "DisruptionTarget", "True"),
        unscheduled=_message(conditions, "PodScheduled", "False"),
        waiting=str(waiting.get("reason") or ""),
        waiting_message=str(waiting.get("message") or ""),
        node_lost=_node_lost(conditions, status),
    )


def _asked_to_end(meta: Mapping[str, Any]) -> datetime | None:
    """When the deletion was asked for: the server notes when its grace ends."""
    end = moment(meta.get("deletionTimestamp"))
    grace = timedelta(seconds=int(meta.get("deletionGracePeriodSeconds") or 0))
    return end - grace if end else None


def _state(containers: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The state of the container that works; after a restart in place, the state that ended it."""
    for container in containers:
        if container["name"] in (CONTAINER, SERVER):
            return container.get("state") or {}
    return {}


def _node_lost(
    conditions: Mapping[str, Mapping[str, Any]], status: Mapping[str, Any]
) -> datetime | None:
    ready = conditions.get("Ready", {})
    # A kubelet gives a reason. The node controller only turns the status, when it hears no more of
    # the node: minutes before it asks for the end of the pod.
    silent = ready.get("status") == "False" and not ready.get("reason")
    if (silent and _holds(conditions, "ContainersReady")) or status.get("reason") == "NodeLost":
        return moment(ready.get("lastTransitionTime"))
    target = conditions.get("DisruptionTarget", {})
    if target.get("reason") == "DeletionByTaintManager":
        return moment(target.get("lastTransitionTime"))
    return None


def _holds(conditions: Mapping[str, Mapping[str, Any]], kind: str) -> bool:
    return bool(conditions.get(kind, {}).get("status") == "True")


def _reason(conditions: Mapping[str, Mapping[str, Any]], kind: str, status: str) -> str:
    found = conditions.get(kind, {})
    return str(found.get("reason") or "") if found.get("status") == status else ""


def _message(conditions: Mapping[str, Mapping[str, Any]], kind: str, status: str) -> str:
    found = conditions.get(kind, {})
    return str(found.get("message") or "") if found.get("status") == status else ""


def _number(text: object) -> int:
    return int(text) if isinstance(text, str) and text.isdigit() else 0
