"""A job as people read it: columns, one line, how it ended. Pure: raw objects to text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from graft_cli import figures
from graft_cli.endings import Ending

Object = Mapping[str, Any]
HEAD = ("KIND", "NAME", "PHASE", "WORKERS", "PROGRESS", "METRIC", "ETA", "AGE")


def status(raw: Object) -> Object:
    """What was observed of the job; empty before the operator saw it."""
    found: Object = raw.get("status") or {}
    return found


def condition(raw: Object, kind: str) -> Object:
    """The condition of that type; empty where there is none."""
    return next((c for c in status(raw).get("conditions") or () if c["type"] == kind), {})


def holds(raw: Object, kind: str) -> bool:
    """Whether the condition is True."""
    return bool(condition(raw, kind).get("status") == "True")


def ending(raw: Object) -> Ending | None:
    """The exit code that the job's end stands for; None while it goes on."""
    if holds(raw, "Failed"):
        return Ending.FAILED
    return Ending.DONE if holds(raw, "Complete") else None


def phase(raw: Object) -> str:
    """The phase; New where no operator has looked at the job yet."""
    return str(status(raw).get("phase") or "New")


def workers(raw: Object) -> str:
    """`2/4`: ready and desired."""
    if shown := _shown(raw, "workers"):
        return shown
    block = status(raw).get("workers") or {}
    desired = block.get("desired") or raw["spec"].get("workers", {}).get("desired", 1)
    return f"{block.get('ready') or 0}/{desired}"


def progress(raw: Object) -> str:
    """`12%`, or the step where the end is not known."""
    block = status(raw).get("progress") or {}
    if shown := _shown(raw, "progress"):
        return shown
    share = block.get("progressPercentage")
    return f"{share}%" if share is not None else ""


def steps(raw: Object) -> str:
    """`step 120/300`; empty before the first report."""
    block = status(raw).get("progress") or {}
    if block.get("step") is None:
        return ""
    total = block.get("totalSteps")
    return f"step {block['step']}/{total}" if total else f"step {block['step']}"


def metric(raw: Object) -> str:
    """`accuracy=0.91`: the first metric that is no loss, else the loss."""
    if shown := _shown(raw, "metric"):
        return shown
    known = status(raw).get("metrics") or ()
    best = sorted(known, key=lambda m: "loss" in m["name"])
    return f"{best[0]['name']}={best[0]['value']}" if best else ""


def remaining(raw: Object) -> str:
    """Time to the end; empty when it is not known or past."""
    if ending(raw) is not None:
        return ""
    seconds = (status(raw).get("progress") or {}).get("estimatedRemainingSeconds")
    return _shown(raw, "remaining") or (age(seconds) if seconds is not None else "")


def metrics(raw: Object) -> str:
    """All metrics, `loss 0.34  accuracy 0.91`."""
    known = status(raw).get("metrics") or ()
    return "  ".join(f"{m['name']} {m['value']}" for m in known)


def row(raw: Object, now: datetime) -> tuple[str, ...]:
    """The job's line in the table of `graft ls`."""
    meta = raw["metadata"]
    told = (phase(raw), workers(raw), progress(raw), metric(raw), remaining(raw))
    born = moment(meta.get("creationTimestamp"))
    cells = (raw["kind"], meta["name"], *told, age((now - born).total_seconds()) if born else "")
    return tuple(cell or "-" for cell in cells)


def line(raw: Object) -> str:
    """The job on one line, as `submit --wait` and `watch` write it."""
    known = status(raw)
    rate = (known.get("progress") or {}).get("tokensPerSecond")
    left = remaining(raw)
    parts = (
        phase(raw),
        f"{workers(raw)} workers",
        steps(raw),
        progress(raw),
        metrics(raw),
        f"{figures.count(rate)} tokens/s" if rate else "",
        f"{left} left" if left else "",
        why_not(raw),
    )
    return "  ".join(part for part in parts if part)


def why_not(raw: Object) -> str:
    """The message of the condition that holds the job up; empty when nothing does."""
    if holds(raw, "Failed"):
        return str(condition(raw, "Failed").get("message") or "")
    ready = condition(raw, "Ready")
    if ready.get("status") == "False" and not holds(raw, "Complete"):
        return f"{ready.get('reason', '')}: {ready.get('message', '')}"
    return ""


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned lines; the first row is the head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def moment(text: str | None) -> datetime | None:
    """A time of the API server."""
    return datetime.fromisoformat(text) if text else None


def age(seconds: float) -> str:
    """`45s`, `12m`, `5h`, `3d`, with a second unit where it matters, as kubectl writes ages."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole}s"
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    at = next(i for i, (_, size) in enumerate(units) if whole >= size)
    (word, size), (below, small) = units[at], units[min(at + 1, 3)]
    count, rest = divmod(whole, size)
    second = rest // small if count < 10 and word != "s" else 0
    return f"{count}{word}" + (f"{second}{below}" if second else "")


def _shown(raw: Object, name: str) -> str:
    return str((status(raw).get("display") or {}).get(name) or "")
