"""Jobs whose pods have begun: crashes, lost nodes, stand-stills, and what is as it should be."""

from __future__ import annotations

from datetime import datetime

from .facts import Cause, Facts, duration, sentence

LOST = ("WorkerLost",)
AWAY = ("Disrupted", "Preempted")


def out_of_memory(facts: Facts) -> Cause | None:
    """A worker was killed for memory and the gang starts again."""
    pod = next((pod for pod in facts.pods if pod.reason == "OOMKilled"), None)
    if pod is None or facts.holds("Running"):
        return None
    limit = ((facts.spec.get("workers") or {}).get("resources") or {}).get("memory", "4Gi")
    return Cause(
        name="OOMKilled",
        says=f"Pod {pod.name} used more than its {limit} of memory and was killed.",
        do=("raise workers.resources.memory, or lower training.microBatch: needs a new job",),
    )


def evicted(facts: Facts) -> Cause | None:
    """The kubelet threw a pod out: its node ran short."""
    pod = next((pod for pod in facts.current() if pod.reason == "Evicted"), None)
    if pod is None or facts.holds("Running"):
        return None
    return Cause(
        name="Evicted",
        says=f"Node {pod.node or '?'} ran short of memory or disk and evicted pod {pod.name}.",
        do=("the job goes on by itself; raise the requests in workers.resources if it recurs",),
    )


def node_lost(facts: Facts) -> Cause | None:
    """A node does not answer."""
    pod = next((pod for pod in facts.current() if pod.node_lost), None)
    if pod is None and facts.reason("Running") not in LOST:
        return None
    if pod is None or pod.node_lost is None:
        says = f"A worker is lost: {sentence(facts.message('Running'))}."
    else:
        silence = duration((facts.now - pod.node_lost).total_seconds())
        says = f"Node {pod.node} with pod {pod.name} has not answered for {silence}."
    limit = ((facts.spec.get("run") or {}).get("deadlines") or {}).get("nodeLost", "2m")
    return Cause(
        name="NodeLost",
        says=says,
        do=(
            f"the job goes on by itself {limit} after the loss (run.deadlines.nodeLost)",
            f"kubectl describe node {pod.node if pod else ''}".strip(),
        ),
    )


def disrupted(facts: Facts) -> Cause | None:
    """Pods were taken away: a drain, a preemption."""
    pod = next((pod for pod in facts.current() if pod.disruption), None)
    if facts.holds("Running") or (pod is None and facts.reason("Running") not in AWAY):
        return None
    said = f"pod {pod.name}: {pod.disruption}" if pod else sentence(facts.message("Running"))
    return Cause(
        name="Disrupted",
        says=f"The cluster took pods away: {said}.",
        do=("nothing is lost and no restart is counted: it goes on from its checkpoint",),
    )


def rendezvous(facts: Facts) -> Cause | None:
    """The pod in which the workers meet is gone."""
    if facts.reason("Running") != "RendezvousLost":
        return None
    return Cause(
        name="RendezvousLost",
        says=f"The pod in which the workers meet was lost: {sentence(facts.message('Running'))}.",
        do=("the job goes on by itself with a new attempt",),
    )


def hung(facts: Facts) -> Cause | None:
    """No step for too long; the gang starts again."""
    if facts.reason("Running") != "HangDetected":
        return None
    return Cause(
        name="HangDetected",
        says=f"The workers stood still: {sentence(facts.message('Running'))}.",
        do=(
            "the job goes on by itself from its newest checkpoint",
            f"graft logs {facts.name} --attempt {max(1, facts.attempt - 1)}",
            "if steps are rightly slow, raise run.deadlines.hang",
        ),
    )


def crashed(facts: Facts) -> Cause | None:
    """A worker failed and there will be another attempt."""
    if facts.reason("Running") != "WorkerFailed" or facts.ended:
        return None
    return Cause(
        name="WorkerFailed",
        says=f"A worker failed: {sentence(facts.message('Running'))}.{_next(facts)}",
        do=(f"graft logs {facts.name} --failed",),
    )


def backing_off(facts: Facts) -> Cause | None:
    """The next attempt waits for its time."""
    wait = _until_next(facts)
    if wait <= 0 or facts.ended or facts.holds("Running"):
        return None
    reason = (facts.status.get("restarts") or {}).get("lastReason", "a failure")
    return Cause(
        name="BackOff",
        says=f"After {reason} the next attempt begins in {duration(wait)}.",
        do=(f"graft watch {facts.name}",),
    )


def stalled(facts: Facts) -> Cause | None:
    """The gang runs and makes no steps."""
    if facts.reason("Progressing") != "Stalled" or facts.ended:
        return None
    return Cause(
        name="Stalled",
        says=f"The workers run and make no steps: {sentence(facts.message('Progressing'))}.",
        do=(f"graft logs {facts.name} --tail 20",),
    )


def degraded(facts: Facts) -> Cause | None:
    """It goes on, and not as well as it could."""
    if not facts.holds("Degraded") or facts.ended:
        return None
    return Cause(
        name=facts.reason("Degraded"),
        says=f"The job goes on, but not as asked for: {sentence(facts.message('Degraded'))}.",
        do=(f"graft show {facts.name}",),
    )


def preparing(facts: Facts) -> Cause | None:
    """The data is being read."""
    if facts.reason("Prepared") != "Preparing" or facts.ended or not _any_started(facts):
        return None
    return Cause(
        name="Preparing",
        says="The data is being read and tokenised; training begins when that is done.",
        do=(f"graft logs {facts.name} --stage prepare --follow",),
    )


def starting(facts: Facts) -> Cause | None:
    """Pods are there, or are being made, and training has not begun."""
    if facts.ended or facts.holds("Running") or not facts.status.get("observedGeneration"):
        return None
    pods = list(facts.workers())
    begun = sum(pod.started for pod in pods)
    said = sentence(facts.message("Running")) or "the workers are being made"
    return Cause(
        name="Starting",
        says=f"The job is starting: {said} ({begun} of {len(pods)} pods have begun).",
        do=(f"graft watch {facts.name}",),
    )


def fine(facts: Facts) -> Cause | None:
    """Nothing is wrong."""
    if facts.ended or not facts.holds("Running"):
        return None
    progress = facts.status.get("progress") or {}
    step = f", step {progress['step']} of {progress.get('totalSteps') or '?'}" if progress else ""
    return Cause(
        name="Running",
        says=f"Nothing is wrong: {sentence(facts.message('Running'))}{step}.",
        do=(f"graft watch {facts.name}",),
    )


def _any_started(facts: Facts) -> bool:
    return any(pod.started for pod in facts.workers())


def _until_next(facts: Facts) -> float:
    text = (facts.status.get("restarts") or {}).get("nextTime")
    return (datetime.fromisoformat(text) - facts.now).total_seconds() if text else 0.0


def _next(facts: Facts) -> str:
    wait = _until_next(facts)
    return f" The next attempt begins in {duration(wait)}." if wait > 0 else ""
