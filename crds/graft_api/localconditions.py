"""The conditions of a job on one machine, each by one small check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from .jobstatus import Condition, DatasetStatus
from .progress import ProgressReport, Termination
from .vocabulary import FailureClass

LONGEST_LINE = 1024
Truth = Literal["True", "False"]
Finding = tuple[Truth, str, str]  # status, reason, message


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRun:
    """What a machine knows of a run beside the worker's words; `stage` is the last that began."""

    stage: str
    attempt: int
    started: datetime
    generation: int = 1
    model_digest: str = ""
    dataset: DatasetStatus | None = None


def timestamp(moment: datetime) -> str:
    """The moment as RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_conditions(
    termination: Termination | None,
    *,
    run: LocalRun,
    progress: ProgressReport | None,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions of a run on one machine, Ready first; each says what to do next."""
    findings: dict[str, Finding] = {
        "Accepted": ("True", "Valid", "the job is valid"),
        "Prepared": _prepared(termination, run.stage),
        "Running": _running(termination, run.stage),
        "Progressing": _progressing(termination, progress),
        "Suspended": _suspended(termination, progress),
        "Complete": _complete(termination),
        "Failed": _failed(termination),
    }
    findings = {"Ready": _ready(findings)} | findings
    return tuple(
        Condition(
            type=kind,
            status=status,
            observed_generation=run.generation,
            last_transition_time=timestamp(now),
            reason=why,
            message=message[:LONGEST_LINE],
        )
        for kind, (status, why, message) in findings.items()
    )


def _prepared(termination: Termination | None, stage: str) -> Finding:
    if stage != "prepare":
        return "True", "Validated", "the data was read and tokenised"
    if termination is None or termination.state == "Stopped":
        return "False", "Preparing", "the data is being read and tokenised"
    if termination.state == "Failed":
        return "False", reason(termination), termination.message
    return "True", "Validated", "the data was read and tokenised"


def _running(termination: Termination | None, stage: str) -> Finding:
    if stage == "prepare":
        return "False", "WaitingForWorkers", "training begins when the data is prepared"
    if termination is None:
        return "True", "GangFormed", "all processes train"
    if termination.state == "Failed":
        return "False", "WorkerFailed", termination.message
    return "False", "Finished", "no process is running"


def _progressing(termination: Termination | None, progress: ProgressReport | None) -> Finding:
    if termination is not None:
        return "False", "NotStarted", "no process is running"
    if progress is None or progress.step == 0:
        return "False", "NotStarted", "the first step has not ended yet"
    return "True", "StepAdvancing", f"step {progress.step} of {progress.total_steps}"


def _suspended(termination: Termination | None, progress: ProgressReport | None) -> Finding:
    if termination is None or termination.state != "Stopped":
        return "False", "NotSuspended", "nobody asked it to stop"
    step = progress.checkpoint_step if progress else None
    saved = "nothing was saved yet" if step is None else f"saved at step {step}"
    return "True", "SuspendedByUser", f"{saved}; run the same file again to go on"


def _complete(termination: Termination | None) -> Finding:
    if termination is not None and termination.state == "Complete":
        return "True", "Succeeded", f"the model is in {termination.artefact_uri}"
    return "False", "NotComplete", "there is no model yet"


def _failed(termination: Termination | None) -> Finding:
    if termination is None or termination.state != "Failed":
        return "False", "NotFailed", "nothing went wrong"
    said = (termination.message, termination.hint)
    return "True", reason(termination), "; ".join(part for part in said if part)


def reason(termination: Termination) -> str:
    """The class of the failure, which is its reason too."""
    return termination.failure_class or FailureClass.USER


def _ready(findings: dict[str, Finding]) -> Finding:
    """The roll-up that `kubectl wait` looks at: as planned, or the leading trouble."""
    if findings["Failed"][0] == "True":
        return "False", *findings["Failed"][1:]
    if findings["Suspended"][0] == "True":
        return "False", *findings["Suspended"][1:]
    return "True", "AsPlanned", "nothing needs to be done"
