"""Blocks of the status that follow from what the workers report and from the children."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from graft_api.localconditions import timestamp
from graft_api.progress import ProgressReport, Termination
from graft_api.statusblocks import (
    artefact_status,
    checkpoint_status,
    metric_values,
    progress_status,
)
from graft_operator.observed import ChildJob, Observed, Subject
from graft_operator.policies.causes import Cause

Object = dict[str, Any]
LONGEST = 1000


def reported(subject: Subject, report: ProgressReport | None, *, now: datetime) -> Object:
    """What the newest report says: progress, metrics, checkpoint."""
    if report is None:
        return {}
    old = subject.status
    found: Object = {
        "progress": _dump(progress_status(report)),
        "metrics": [_dump(metric) for metric in metric_values(report)],
        "checkpoint": _dump(checkpoint_status(report)),
    }
    if report.step and not old.get("firstStepTime"):
        found["firstStepTime"] = timestamp(now)
    if report.step != (old.get("progress") or {}).get("step"):
        found["lastStepTime"] = timestamp(now)
    return {key: value for key, value in found.items() if value}


def workers(
    observed: Observed, job: ChildJob | None, old: Object, *, desired: int, over: bool
) -> Object:
    """The gang: wanted, in this attempt, ready, in the world.

    A Job's count of ready pods falls to 0 one update before it is complete: what was shown stays.
    """
    target = job.parallelism if job and job.role == "worker" else desired
    ready = job.ready if job and job.role == "worker" else 0
    if job is not None and (job.succeeded or over):
        ready = int(old.get("ready") or 0)
    block: Object = {"desired": desired, "target": target, "ready": ready}
    if observed.report is not None:
        block["world"] = observed.report.world_size
    return block


def unready(old: Object, *, desired: int) -> Object:
    """The gang before there is one: what is shown of an earlier one stays, but nobody is ready."""
    return old | {"desired": desired, "ready": 0}


def complete(subject: Subject, words: Termination) -> Object:
    """The artefact, and progress and metrics at their end, which no report may have told."""
    progress = dict(subject.status.get("progress") or {})
    if words.step is not None:
        progress |= {"step": words.step, "totalSteps": words.total_steps or words.step}
    progress |= {"progressPercentage": 100, "estimatedRemainingSeconds": 0}
    found: Object = {"artefact": _dump(artefact_status(words)), "progress": progress}
    if words.metrics:
        found["metrics"] = [
            {"name": name, "value": f"{value:.6g}"} for name, value in words.metrics.items()
        ]
    if words.comparison:
        found["comparison"] = dict(words.comparison)
    return found


def prepared(words: Termination | None) -> Object:
    """What the prepare stage found: the digest of the weights and the data as read."""
    if words is None:
        return {}
    found: Object = {}
    if words.model_digest:
        found["model"] = {"digest": words.model_digest}
    if words.dataset:
        found["dataset"] = words.dataset
    return found


def failure(cause: Cause) -> Object:
    """The block that says who failed, why, and what to do."""
    block = {
        "class": str(cause.failure_class),
        "worker": cause.worker,
        "exitCode": cause.exit_code,
        "step": cause.step,
        "message": cause.message[:LONGEST],
        "hint": cause.hint[:LONGEST] or None,
    }
    return {key: value for key, value in block.items() if value is not None}


def _dump(model: Any) -> Object | None:
    if model is None:
        return None
    dumped: Object = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dumped
