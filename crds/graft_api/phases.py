"""One word for people out of the conditions; nothing reads it back."""

from __future__ import annotations

from collections.abc import Iterable

from .jobstatus import Condition

WAITING = ("QuotaPending", "Evicted", "QueueNotFound")
LOST = ("WorkerFailed", "RendezvousLost", "HangDetected", "Disrupted", "WorkerLost")
UNPLACED = ("WaitingForWorkers", "ImagePull", "VolumePending", "QuotaExceeded", "PodsRefused")


def phase(conditions: Iterable[Condition]) -> str:
    """The phase that the conditions add up to; the first that fits."""
    states: dict[str, tuple[str, str]] = {c.type: (c.status, c.reason) for c in conditions}
    for last in ("Failed", "Complete", "Suspended"):
        if states.get(last, ("", ""))[0] == "True":
            return last
    if states.get("Accepted", ("", ""))[0] != "True":
        return "Pending"
    if states.get("Queued", ("", ""))[1] in WAITING:
        return "Queued"
    prepared, why = states.get("Prepared", ("", ""))
    if prepared != "True":
        return "Pending" if why == "WaitingForJob" else "Preparing"
    return _running(*states.get("Running", ("", "")))


def _running(status: str, reason: str) -> str:
    if status == "True":
        return "Resizing" if reason == "Resizing" else "Running"
    if reason in LOST:
        return "Restarting"
    return "Pending" if reason in UNPLACED else "Starting"
