"""Why an attempt ended: the first failure among its pods, with its class and what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from graft_api.progress import Termination
from graft_api.vocabulary import ExitCode, FailureClass
from graft_operator.observed import ChildJob, Pod
from graft_operator.policies.situation import Situation

LONGEST = 1000
KILLED = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What ended an attempt."""

    failure_class: FailureClass
    reason: str
    message: str
    hint: str = ""
    worker: int | None = None
    exit_code: int | None = None
    step: int | None = None


def cause(s: Situation, job: ChildJob, pods: tuple[Pod, ...]) -> Cause:
    """The first failure among the pods; what others caused comes before what it caused.

    A gang that loses a member fails everywhere: the loss is the cause, not its echo.
    """
    for find in (_final, _out_of_memory, _store_lost, _node_lost, _hung, _disrupted, _removed):
        if found := find(s, pods):
            return found
    ended = [pod for pod in pods if pod.exit_code]
    if ended:
        return _spoken(min(ended, key=_moment))
    return _unknown(job)


def words(pod: Pod) -> Termination | None:
    """The last words of the pod's worker; None where there are none."""
    try:
        return Termination.from_json(pod.words) if pod.words else None
    except (ValueError, TypeError, AttributeError):
        return None


def _moment(pod: Pod) -> datetime:
    return pod.ended or pod.created


def _final(_: Situation, pods: tuple[Pod, ...]) -> Cause | None:
    codes = (ExitCode.CONFIG, ExitCode.DATA)
    return next((_spoken(pod) for pod in pods if pod.exit_code in codes), None)


def _out_of_memory(s: Situation, pods: tuple[Pod, ...]) -> Cause | None:
    pod = next((pod for pod in pods if pod.reason == "OOMKilled"), None)
    if pod is None:
        return None
    again = (s.memory.restarts.get("lastReason") or "") == "OOMKilled"
    limit = s.stage.resources.memory
    return Cause(
        failure_class=FailureClass.USER if again else FailureClass.INFRASTRUCTURE,
        reason="OOMKilled",
        message=f"pod {pod.name} used more than its {limit} of memory",
        hint="raise workers.resources.memory, or lower training.microBatch",
        worker=pod.index,
        exit_code=pod.exit_code,
        step=_step(s),
    )


def _store_lost(s: Situation, _: tuple[Pod, ...]) -> Cause | None:
    if not (s.training and s.stage.gang.max > 1):
        return None
    stores = [
        p for p in s.observed.pods if p.role == "rendezvous" and p.attempt == s.memory.attempt
    ]
    if any(not store.over and not store.deleting for store in stores):
        return None
    return Cause(
        failure_class=FailureClass.DISRUPTION,
        reason="StoreLost",
        message="the pod in which the gang meets was lost",
        step=_step(s),
    )


def _node_lost(s: Situation, pods: tuple[Pod, ...]) -> Cause | None:
    pod = next((pod for pod in pods if pod.node_lost), None)
    if pod is None:
        return None
    return Cause(
        failure_class=FailureClass.DISRUPTION,
        reason="NodeLost",
        message=f"node {pod.node} with pod {pod.name} does not answer",
        worker=pod.index,
        step=_step(s),
    )


def _hung(_: Situation, pods: tuple[Pod, ...]) -> Cause | None:
    """A launcher ended a hang; the pods of its peers are then deleted with the failed Job."""
    return next((_spoken(pod) for pod in pods if pod.exit_code == ExitCode.HUNG), None)


def _disrupted(s: Situation, pods: tuple[Pod, ...]) -> Cause | None:
    pod = next((pod for pod in pods if pod.disruption or pod.reason == "Evicted"), None)
    if pod is None:
        return None
    why = pod.disruption or pod.reason
    return Cause(
        failure_class=FailureClass.DISRUPTION,
        reason="Preempted" if "Preempt" in why else "Disrupted",
        message=f"pod {pod.name} was taken away: {why}",
        worker=pod.index,
        step=_step(s),
    )


def _removed(s: Situation, pods: tuple[Pod, ...]) -> Cause | None:
    """A pod that somebody deleted, that stopped on request, or that is not there any more."""
    gone = next((p for p in pods if p.deleting or p.exit_code == ExitCode.STOPPED), None)
    if gone is None and pods:
        return None
    name = f"pod {gone.name}" if gone else "a pod"
    return Cause(
        failure_class=FailureClass.DISRUPTION,
        reason="PodDeleted",
        message=f"{name} was deleted",
        worker=gone.index if gone else None,
        exit_code=gone.exit_code if gone else None,
        step=_step(s),
    )


CODES: dict[int, tuple[FailureClass, str]] = {
    ExitCode.CONFIG: (FailureClass.CONFIG, "ConfigError"),
    ExitCode.DATA: (FailureClass.DATA, "DataError"),
    ExitCode.WORLD: (FailureClass.INFRASTRUCTURE, "WorldTooSmall"),
    ExitCode.HUNG: (FailureClass.INFRASTRUCTURE, "HangDetected"),
    ExitCode.NODE: (FailureClass.INFRASTRUCTURE, "BadNode"),
    ExitCode.STORE: (FailureClass.INFRASTRUCTURE, "StoreError"),
    ExitCode.STOPPED: (FailureClass.DISRUPTION, "Stopped"),
    KILLED + 6: (FailureClass.USER, "Crashed"),
    KILLED + 9: (FailureClass.INFRASTRUCTURE, "Killed"),
    KILLED + 11: (FailureClass.USER, "Crashed"),
    KILLED + 15: (FailureClass.DISRUPTION, "Stopped"),
}


def _spoken(pod: Pod) -> Cause:
    """What the pod's worker said; without words, what its exit code means."""
    code = pod.exit_code or 0
    said = words(pod)
    by_code = CODES.get(code, (FailureClass.USER, "UserException"))
    if said is None or said.state != "Failed":
        shown = _excerpt(pod.words)
        return Cause(
            failure_class=by_code[0],
            reason=by_code[1],
            message=f"pod {pod.name} ended with exit code {code}{': ' if shown else ''}{shown}",
            hint=f"see `kubectl logs {pod.name}`",
            worker=pod.index,
            exit_code=code,
        )
    named = said.failure_class
    known = FailureClass(named) if named in set(FailureClass) else by_code[0]
    return Cause(
        failure_class=known,
        reason=by_code[1] if by_code[0] == known else str(known),
        message=said.message,
        hint=said.hint,
        worker=pod.index,
        exit_code=said.exit_code or code,
        step=said.step,
    )


def _unknown(job: ChildJob) -> Cause:
    return Cause(
        failure_class=FailureClass.INFRASTRUCTURE,
        reason=job.failure or "WorkerLost",
        message=job.failure_message or "the pods ended and left no trace",
        hint="see `kubectl describe job " + job.name + "`",
    )


def _excerpt(text: str) -> str:
    try:
        json.loads(text)
    except ValueError:
        return " ".join(text.split())[-LONGEST:]
    return ""


def _step(s: Situation) -> int | None:
    report = s.observed.report
    return report.step if report and report.attempt == s.memory.attempt else None
