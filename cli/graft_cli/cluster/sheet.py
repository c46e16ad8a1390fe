"""One job on one sheet, section by section. Pure: facts to lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from graft_cli.causes.facts import Facts
from graft_operator.observed import ChildJob, Pod
from graft_operator.status.goodput import parts

from . import children, served, view

LAST_EVENTS = 10
Rows = Sequence[Sequence[str]]
Sections = tuple[tuple[str, Rows], ...]  # titles and lines


def sheet(facts: Facts) -> Iterator[str]:
    """The job as lines; sections that would be empty are left out."""
    raw = facts.raw
    yield f"{raw['kind']} {facts.name} in {facts.namespace}: {served.word(raw)}"
    for title, rows in _deployment(facts) if served.is_served(raw) else _job(facts):
        if rows:
            yield f"\n{title}"
            yield from (f"  {line}" for line in view.table(rows))


def _job(facts: Facts) -> Sections:
    return (
        ("spec", _spec(facts)),
        ("progress", _progress(facts)),
        ("conditions", _conditions(facts)),
        ("failure", _failure(facts.failure)),
        ("artefact", _pairs(facts.status.get("artefact") or {}, "uri", "digest", "bytes")),
        ("jobs", _jobs(facts)),
        ("pods", [_pod(pod) for pod in facts.pods]),
        ("events", _events(facts)),
    )


def _deployment(facts: Facts) -> Sections:
    return (
        ("spec", list(served.asked(facts.spec).items())),
        ("answers", list(served.answers(facts.raw).items())),
        ("conditions", _conditions(facts)),
        ("pods", [(pod.name, pod.node or "no node", _pod_state(pod)) for pod in facts.pods]),
        ("events", _events(facts)),
    )


def _spec(facts: Facts) -> Rows:
    spec = facts.spec
    training, workers = spec.get("training") or {}, spec.get("workers") or {}
    run, app, method = (spec.get(name) or {} for name in ("run", "app", "method"))
    told = {
        "app": app.get("name") or app.get("entrypoint"),
        "model": _source(spec.get("model") or spec.get("student") or {}),
        "method": method.get("name"),
        "train": _dataset((spec.get("data") or {}).get("train") or {}),
        "validation": _dataset((spec.get("data") or {}).get("validation") or {}),
        "duration": _one(training.get("duration") or {}),
        "global batch": training.get("globalBatch"),
        "workers": _workers(workers),
        "resources": _resources(workers.get("resources") or {}),
        "queue": run.get("queue"),
        "suspend": "true" if run.get("suspend") else None,
    }
    return [(name, str(value)) for name, value in told.items() if value]


def _source(model: Mapping[str, Any]) -> str:
    source = model.get("from") or {}
    config = source.get("config")
    if config:
        return f"random {config.get('architecture', '')}"
    return " ".join(_shown(key, value) for key, value in source.items())


def _shown(key: str, value: Any) -> str:
    return f"{key} {'/'.join(map(str, value.values())) if isinstance(value, dict) else value}"


def _dataset(data: Mapping[str, Any]) -> str:
    if data.get("fraction"):
        return f"{data['fraction']} of train"
    return str(data.get("uri") or " ".join(data.get("uris") or ()))


def _workers(workers: Mapping[str, Any]) -> str:
    desired, most = workers.get("desired", 1), workers.get("max")
    return f"{desired}" if most is None else f"{desired} ({workers.get('min', 1)} to {most})"


def _resources(asked: Mapping[str, Any]) -> str:
    gpus = {str(asked.get("gpuResource", "gpu")): asked.get("gpu")}
    return _one({key: value for key, value in asked.items() if not key.startswith("gpu")} | gpus)


def _one(block: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in block.items() if value)


def _progress(facts: Facts) -> Rows:
    raw, status = facts.raw, facts.status
    restarts = status.get("restarts") or {}
    classes = ("user", "infrastructure", "disruption")
    left = view.remaining(raw)
    told = {
        "attempt": status.get("attempt"),
        "workers ready": view.workers(raw) if status else None,
        "steps": view.steps(raw).removeprefix("step ") + (f"  {left} left" if left else ""),
        "metrics": view.metrics(raw),
        "checkpoint": _checkpoint(facts),
        "restarts": ", ".join(f"{restarts[c]} {c}" for c in classes if restarts.get(c)),
        "time": _time(status.get("goodput") or {}),
    }
    return [(name, str(value)) for name, value in told.items() if value]


def _time(goodput: Mapping[str, Any]) -> str:
    """The share of the steps that were kept, then the parts, longest first."""
    told = sorted(parts(goodput).items(), key=lambda part: -part[1])
    shown = ", ".join(f"{view.age(seconds)} {part}" for part, seconds in told if seconds)
    share = goodput.get("percentage")
    return shown if share is None else f"goodput {share} %: {shown}"


def _checkpoint(facts: Facts) -> str:
    block = facts.status.get("checkpoint") or {}
    if block.get("step") is None:
        return ""
    when = view.moment(block.get("time"))
    ago = f", {view.age((facts.now - when).total_seconds())} ago" if when else ""
    return f"step {block['step']}{ago}  {block.get('uri') or ''}".rstrip()


def _conditions(facts: Facts) -> Rows:
    """The conditions in the order in which they took their states."""
    known = sorted(
        facts.status.get("conditions") or (), key=lambda c: c.get("lastTransitionTime") or ""
    )
    return [
        (_ago(facts, c), c["type"], c["status"], c.get("reason") or "", c.get("message") or "")
        for c in known
    ]


def _ago(facts: Facts, condition: Mapping[str, Any]) -> str:
    when = view.moment(condition.get("lastTransitionTime"))
    return f"{view.age((facts.now - when).total_seconds())} ago" if when else ""


def _failure(failure: Mapping[str, Any]) -> Rows:
    return _pairs(failure, "class", "worker", "exitCode", "step", "message", "hint")


def _pairs(block: Mapping[str, Any], *names: str) -> Rows:
    return [(name, str(block[name])) for name in names if block.get(name) not in (None, "")]


def _jobs(facts: Facts) -> Rows:
    return [
        (
            job.name,
            _state(job),
            f"{job.active} active, {job.succeeded} succeeded, {job.failed} failed",
        )
        for job in facts.jobs
    ]


def _state(job: ChildJob) -> str:
    if job.failure:
        return f"failed: {job.failure}"
    return "complete" if job.complete else "suspended" if job.suspended else "running"


def _pod(pod: Pod) -> tuple[str, ...]:
    return (
        children.short(pod),
        f"attempt {pod.attempt}",
        pod.name,
        pod.node or "no node",
        _pod_state(pod),
    )


def _pod_state(pod: Pod) -> str:
    if pod.exit_code is not None:
        return f"ended with exit code {pod.exit_code}" + (f" ({pod.reason})" if pod.reason else "")
    if pod.deleting:
        return "being deleted"
    parts: Iterable[str] = (
        "node does not answer" if pod.node_lost else "",
        "ready" if pod.ready else pod.phase,
        pod.waiting,
        pod.unscheduled or pod.waiting_message,
    )
    return "  ".join(part for part in parts if part)


def _events(facts: Facts) -> Rows:
    return [
        (
            f"{view.age((facts.now - e.time).total_seconds())} ago",
            e.type,
            e.about,
            e.reason + (f" x{e.count}" if e.count > 1 else ""),
            e.note,
        )
        for e in reversed(facts.events[:LAST_EVENTS])
    ]
