"""Blocks of a job's status from what a worker said; the operator and `graft run` share them."""

from __future__ import annotations

import math

from .jobstatus import (
    Artefact,
    CheckpointStatus,
    Failure,
    Goodput,
    MetricValue,
    Progress,
    WorkersStatus,
)
from .plan import Plan
from .progress import ProgressReport, Termination, spent
from .vocabulary import FailureClass

MOST_METRICS = 256
LONGEST = 64  # characters of a metric's name and value
LONGEST_LINE = 1024


def progress_status(report: ProgressReport | None, *, complete: bool = False) -> Progress | None:
    """How far the job is; a complete one is at 100 percent wherever it stopped early."""
    if report is None:
        return None
    share = 100 * report.step // report.total_steps if report.total_steps else 0
    remaining = 0 if complete else report.remaining_seconds
    return Progress(
        step=report.step,
        total_steps=report.total_steps,
        epoch=round(report.epoch, 3),
        progress_percentage=100 if complete else min(share, 100),
        estimated_remaining_seconds=_whole(remaining),
        tokens_per_second=_whole(report.tokens_per_second),
        mfu_percentage=None if report.mfu is None else min(_whole(100 * report.mfu) or 0, 100),
        last_updated_time=report.time or None,
    )


def metric_values(report: ProgressReport | None) -> tuple[MetricValue, ...]:
    """The newest loss and metrics as texts; what is not a number is left out."""
    if report is None:
        return ()
    loss = {} if report.loss is None else {"loss": report.loss}
    named = {name: value for name, value in (loss | report.metrics).items() if math.isfinite(value)}
    return tuple(
        MetricValue(name=name[:LONGEST], value=f"{value:.6g}")
        for name, value in list(named.items())[:MOST_METRICS]
    )


def checkpoint_status(report: ProgressReport | None) -> CheckpointStatus | None:
    """The newest complete checkpoint; None before the first."""
    if report is None or report.checkpoint_step is None:
        return None
    return CheckpointStatus(
        step=report.checkpoint_step,
        time=report.checkpoint_time,
        uri=report.checkpoint_uri,
    )


def workers_status(plan: Plan, report: ProgressReport | None) -> WorkersStatus:
    """The gang as planned, and the world as rank 0 saw it."""
    desired = plan.stage("train").gang.desired
    return WorkersStatus(
        desired=desired, target=desired, world=report.world_size if report else None
    )


def failure_status(termination: Termination | None, *, processes: int) -> Failure | None:
    """Who failed first, why, and what to do; None unless the job failed."""
    if termination is None or termination.state != "Failed":
        return None
    return Failure(
        class_=termination.failure_class or FailureClass.USER,
        worker=termination.rank // processes,
        exit_code=termination.exit_code,
        step=termination.step,
        message=termination.message[:LONGEST_LINE],
        hint=termination.hint[:LONGEST_LINE] or None,
    )


def artefact_status(termination: Termination | None) -> Artefact | None:
    """What the job produced; None until it is complete."""
    if termination is None or not termination.artefact_uri:
        return None
    return Artefact(
        uri=termination.artefact_uri,
        digest=termination.artefact_digest or None,
        bytes=termination.artefact_bytes,
    )


def goodput_status(report: ProgressReport | None) -> Goodput | None:
    """Where the time of a training on one machine went."""
    if report is None:
        return None
    told = spent(report).items()
    return Goodput.model_validate({f"{part}Seconds": _whole(seconds) for part, seconds in told})


def _whole(number: float | None) -> int | None:
    return None if number is None or not math.isfinite(number) else max(0, round(number))
