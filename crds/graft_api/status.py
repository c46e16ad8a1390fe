"""The status of a job on this machine, in the shape that the operator writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .distilljob import Comparison, DistillJobStatus
from .jobstatus import JobStatus, ModelStatus
from .localconditions import LocalRun, local_conditions, timestamp
from .phases import phase
from .plan import Plan
from .pretrainjob import PretrainJobStatus
from .progress import ProgressReport, Termination
from .statusblocks import (
    artefact_status,
    checkpoint_status,
    failure_status,
    goodput_status,
    metric_values,
    progress_status,
    workers_status,
)
from .transferjob import TransferJobStatus

_TYPES: Mapping[str, type[JobStatus]] = {
    "DistillJob": DistillJobStatus,
    "PretrainJob": PretrainJobStatus,
    "TransferJob": TransferJobStatus,
}

__all__ = ["LocalRun", "local_status"]


def local_status(
    plan: Plan,
    *,
    progress: ProgressReport | None,
    termination: Termination | None,
    run: LocalRun,
    now: datetime,
) -> JobStatus:
    """The status of a job on this machine, in the shape of its kind's in a cluster.

    `termination` is None while a stage runs.
    """
    state = termination.state if termination else ""
    conditions = local_conditions(termination, run=run, progress=progress, now=now)
    return _TYPES[plan.kind](
        observed_generation=run.generation,
        phase=phase(conditions),
        conditions=conditions,
        model=ModelStatus(digest=run.model_digest) if run.model_digest else None,
        dataset=run.dataset,
        workers=workers_status(plan, progress),
        progress=progress_status(progress, complete=state == "Complete"),
        metrics=metric_values(progress),
        checkpoint=checkpoint_status(progress),
        attempt=run.attempt,
        failure=failure_status(termination, processes=plan.stage("train").gang.processes),
        artefact=artefact_status(termination),
        goodput=goodput_status(progress),
        start_time=timestamp(run.started),
        completion_time=timestamp(now) if state in ("Complete", "Failed") else None,
        **_of_kind(termination),
    )


def _of_kind(termination: Termination | None) -> dict[str, Any]:
    """The blocks that only some kinds have."""
    if termination is None or not termination.comparison:
        return {}
    return {"comparison": Comparison.model_validate(termination.comparison)}
