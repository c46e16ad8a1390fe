"""The attempt is under way: what it waits for, how far it is, and what it needs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from graft_operator.observed import ChildJob, Pod
from graft_operator.outcome import Delete
from graft_operator.policies import deadlines, losses, resizing, restarts, saving
from graft_operator.policies.causes import cause
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Finding, Verdict, false, true
from graft_operator.policies.waiting import held, waiting
from graft_operator.status import blocks
from graft_operator.status.conditions import FIRST

SOON = timedelta(seconds=1)
CALM = timedelta(minutes=10)
LONGEST_WAIT = timedelta(seconds=120)


def verdict(s: Situation) -> Verdict | None:
    """The state of a running attempt; always an answer."""
    job = s.job
    assert job is not None, "a missing Job is decided before"
    if not s.training:
        return _prepares(s, job)
    if resizing.outgrown(s, job):
        return _outgrown(s, job)
    findings = _findings(s, job)
    return Verdict(
        findings=findings,
        patch=resizing.resize(s, job),
        delete=_by_force(s),
        blocks=_blocks(s, job),
        wake=_wake(s, job),
    )


def _prepares(s: Situation, job: ChildJob) -> Verdict:
    old = dict(s.subject.status.get("workers") or {})
    workers = blocks.unready(old, desired=s.plan.stage("train").gang.desired)
    return Verdict(findings=_preparing(s, job), blocks={"workers": workers}, wake=_wake(s, job))


def _preparing(s: Situation, job: ChildJob) -> dict[str, Finding]:
    """Steps of a start that goes well are not told: each would be a write for every job."""
    reading = {"Prepared": false("Preparing", "the data is being read and tokenised")}
    if job.ready or job.succeeded:
        return reading | {"Running": FIRST["Running"]} | _queued(s, job)
    found = held(s, job)
    if found is None:
        return reading | _queued(s, job)
    return {"Prepared": false("Preparing", found.message), "Running": found} | _queued(s, job)


def _findings(s: Situation, job: ChildJob) -> dict[str, Finding]:
    running = _running(s, job)
    found = {"Running": running, "Degraded": _degraded(s, job)} | _queued(s, job)
    report = s.observed.report
    if report and report.attempt == job.attempt and report.step:
        text = f"step {report.step} of {report.total_steps}"
        found["Progressing"] = true("StepAdvancing", text)
    return found


def _running(s: Situation, job: ChildJob) -> Finding:
    if silent := losses.silent(s):
        names = ", ".join(pod.name for pod in silent)
        text = f"the node of {names} does not answer; waiting for deadlines.nodeLost"
        if s.stage.gang.min == s.stage.gang.max:
            return false("WorkerLost", text)
    if job.ready >= _needed(s, job):
        if resizing.target(s, job) != job.parallelism or job.ready != job.parallelism:
            goal = resizing.target(s, job)
            return true("Resizing", f"{job.ready} of {goal} workers are in the gang")
        return true("GangFormed", f"{job.ready} workers train")
    old = s.memory.conditions.get("Running", {})
    if s.memory.attempt > 1 and not job.ready and old.get("status") == "False" and not s.pods:
        return false(old["reason"], old.get("message", ""))
    return waiting(s, job)


def _needed(s: Situation, job: ChildJob) -> int:
    gang = s.stage.gang
    return gang.min if gang.min < gang.max else job.parallelism


def _degraded(s: Situation, job: ChildJob) -> Finding:
    report = s.observed.report
    if s.observed.report_error and job.ready:
        since = (report.time if report else "") or "its start"
        return true("StaleProgress", f"no progress since {since}: {s.observed.report_error}")
    world = job.parallelism * s.stage.gang.processes
    if report and report.attempt == job.attempt and report.world_size < world and job.ready:
        text = f"{report.world_size} of {world} processes train; the others join when they start"
        return true("ReducedWorld", text)
    return false("AsExpected", "nothing is out of order")


def _queued(s: Situation, job: ChildJob) -> dict[str, Finding]:
    if not s.run.get("queue"):
        return {}
    if job.suspended:
        return {"Queued": true("QuotaPending", f"queue {s.run['queue']} has not admitted it yet")}
    return {"Queued": false("Admitted", f"queue {s.run['queue']} admitted it")}


def _outgrown(s: Situation, job: ChildJob) -> Verdict:
    """Another size for a gang that cannot change: saved, then begun anew with that size."""
    asked = s.memory.since("Running", "Resizing")
    text = f"from {job.parallelism} to {s.stage.gang.desired} workers by a new attempt"
    found = {"Running": true("Resizing", text)}
    if not saving.saved(s, job, asked):
        ask = () if asked else saving.addresses(s)
        return Verdict(findings=found, checkpoint=ask, wake=s.now + SOON)
    again = "the next attempt has not begun yet"
    return Verdict(
        findings={"Running": false("Starting", text), "Progressing": false("NotStarted", again)},
        attempt=s.memory.attempt + 1,
        wake=s.now,
    )


def _by_force(s: Situation) -> tuple[Delete, ...]:
    """Pods of an elastic gang on lost nodes: only then does their Job replace them."""
    return tuple(
        Delete(kind="Pod", name=pod.name, uid=pod.uid, grace_seconds=0) for pod in losses.expired(s)
    )


def _blocks(s: Situation, job: ChildJob) -> dict[str, Any]:
    old = dict(s.subject.status.get("workers") or {})
    found: dict[str, Any] = {
        "workers": blocks.workers(s.observed, job, old, desired=s.stage.gang.desired, over=job.over)
    }
    if lost := _absorbed(s):
        charged = restarts.charged(s.memory, cause(s, job, (lost,)), now=s.now)
        found["restarts"] = charged
    return found


def _absorbed(s: Situation) -> Pod | None:
    """A member that an elastic gang has lost since the last loss that was noted."""
    if s.stage.gang.min == s.stage.gang.max:
        return None
    history = s.memory.restarts.get("history") or ()
    last = datetime.fromisoformat(history[-1]["time"]) if history else None
    for pod in s.pods:
        moment = pod.node_lost or pod.deleting or (pod.ended if pod.phase == "Failed" else None)
        if moment and (last is None or moment > last) and pod.index < _size(s):
            return pod
    return None


def _size(s: Situation) -> int:
    """Indexes below belong to the gang; those above went because it shrank."""
    return resizing.target(s, s.job) if s.job else 0


def _wake(s: Situation, job: ChildJob) -> datetime:
    """When to look again: soon while something changes, at the next deadline at the latest."""
    if job.ready and s.training:
        wait = timedelta(seconds=s.settings.progress_seconds)
    elif job.calm:
        wait = CALM  # its Job tells of every change that matters
    else:
        waited = (s.now - job.created) / 10
        wait = max(SOON * 2, min(waited, LONGEST_WAIT))
    soon = s.now + max(wait, s.observed.pause)
    others = (deadlines.next_deadline(s, job), losses.next_expiry(s))
    return min([soon, *(moment for moment in others if moment and moment > s.now)])
