"""Whether a job starts again after a failure, when, and at whose cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from graft_api.localconditions import timestamp
from graft_api.plan import Budget
from graft_api.vocabulary import FailureClass
from graft_operator.observed import Memory
from graft_operator.policies.causes import Cause

LONGEST_HISTORY = 16
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(minutes=6)
FINAL = (FailureClass.CONFIG, FailureClass.DATA)
COUNTED = (FailureClass.USER, FailureClass.INFRASTRUCTURE)
FIELDS = {
    FailureClass.USER: "user",
    FailureClass.INFRASTRUCTURE: "infrastructure",
    FailureClass.DISRUPTION: "disruption",
}

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Go on at `start`, or fail for `reason`; `restarts` is the block of status afterwards."""

    restarts: Object
    start: datetime
    failed: str = ""  # reason of the condition Failed
    message: str = ""


def decide(cause: Cause, memory: Memory, *, budget: Budget, now: datetime) -> Decision:
    """What becomes of the job after the cause.

    Disruptions are free. The same error at the same step fails at once. Others count within the
    window; steps beyond the last failure give the budget back.
    """
    history = tuple(memory.restarts.get("history") or ())
    counted = _counted(history, cause, budget=budget, now=now)
    failed = _verdict(cause, history, counted=len(counted), budget=budget)
    start = now + _delay(cause, earlier=len(counted))
    return Decision(
        restarts=_charged(memory, cause, now=now, start=start, final=bool(failed)),
        start=start,
        failed=failed[0] if failed else "",
        message=failed[1] if failed else "",
    )


def charged(memory: Memory, cause: Cause, *, now: datetime) -> Object:
    """The block of status after a loss that the gang itself absorbed."""
    return _charged(memory, cause, now=now, start=now, final=False)


def _verdict(
    cause: Cause, history: tuple[Object, ...], *, counted: int, budget: Budget
) -> tuple[str, str] | None:
    said = "; ".join(part for part in (cause.message, cause.hint) if part)
    if cause.failure_class in FINAL:
        return cause.failure_class, said
    if cause.failure_class not in COUNTED:
        return None
    if cause.failure_class == FailureClass.USER and _same(cause, history):
        at = "" if cause.step is None else f" at step {cause.step}"
        return FailureClass.USER, f"the same error twice{at}: {said}"
    if counted >= budget.restarts:
        times = f"{counted + 1} failures within {budget.window_seconds:g} s"
        return "RestartLimit", f"{times}, run.restarts.max is {budget.restarts}; the last: {said}"
    return None


def _same(cause: Cause, history: tuple[Object, ...]) -> bool:
    """Whether the newest restart was for the same: a third try would be wasted."""
    if not history:
        return False
    last = history[-1]
    if cause.reason == "OOMKilled":
        return bool(last.get("reason") == "OOMKilled")
    same = (last.get("class"), last.get("exitCode"), last.get("step"))
    return same == (cause.failure_class, cause.exit_code, cause.step)


def _counted(
    history: tuple[Object, ...], cause: Cause, *, budget: Budget, now: datetime
) -> tuple[Object, ...]:
    oldest = now - timedelta(seconds=budget.window_seconds)
    reached = cause.step or 0
    return tuple(
        entry
        for entry in history
        if entry.get("class") in COUNTED
        and datetime.fromisoformat(entry["time"]) >= oldest
        and (entry.get("step") or 0) >= reached
    )


def _delay(cause: Cause, *, earlier: int) -> timedelta:
    if cause.failure_class == FailureClass.DISRUPTION:
        return timedelta()
    if cause.failure_class == FailureClass.INFRASTRUCTURE:
        if not earlier:
            return timedelta()
        earlier -= 1
    return min(FIRST_DELAY * int(2 ** min(earlier, 10)), LONGEST_DELAY)


def _charged(
    memory: Memory, cause: Cause, *, now: datetime, start: datetime, final: bool
) -> Object:
    block = dict(memory.restarts)
    if final:
        return block
    field = FIELDS[cause.failure_class]
    entry: Object = {
        "time": timestamp(now),
        "class": str(cause.failure_class),
        "reason": cause.reason,
        "worker": cause.worker,
        "exitCode": cause.exit_code,
        "step": cause.step,
    }
    kept = {key: value for key, value in entry.items() if value is not None}
    history = [*(block.get("history") or ()), kept][-LONGEST_HISTORY:]
    block |= {
        field: int(block.get(field) or 0) + 1,
        "lastReason": cause.reason,
        "nextTime": timestamp(start),
        "history": history,
    }
    block.pop("lastWorker", None)
    if cause.worker is not None:
        block["lastWorker"] = cause.worker
    return block
