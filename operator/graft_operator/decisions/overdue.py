"""A deadline of the job is over: it fails, and says which."""

from __future__ import annotations

from graft_operator.policies.deadlines import overdue
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Verdict, false, true
from graft_operator.policies.waiting import stuck, waiting


def verdict(s: Situation) -> Verdict | None:
    """The failure of a job that took too long, or whose pods can never start."""
    if s.job is None or s.job.over:
        return None
    held = waiting(s, s.job).message
    if pod := stuck(s):
        return _failed("ImagePull", held, hint=f"see `kubectl describe pod {pod.name}`")
    if words := overdue(s, s.job):
        return _failed("DeadlineExceeded", f"{words}; {held}", hint="see run.deadlines")
    return None


def _failed(reason: str, message: str, *, hint: str) -> Verdict:
    found = {
        "Failed": true(reason, message),
        "Running": false("Finished", "no worker is running"),
    }
    failure = {"class": "ConfigError", "message": message[:1000], "hint": hint}
    return Verdict(findings=found, blocks={"failure": failure})
