"""A checkpoint on the way to a pause or to another size: asked for, then seen."""

from __future__ import annotations

from datetime import datetime, timedelta

from graft_operator.observed import ChildJob
from graft_operator.policies.situation import Situation

PATIENCE = timedelta(seconds=60)
ASKED = "Saving"


def addresses(s: Situation) -> tuple[str, ...]:
    """Workers that can be asked to save; any one of them speaks for all."""
    if not s.settings.control_key:
        return ()
    return tuple(pod.address for pod in s.newest().values() if pod.ready and pod.address)


def saved(s: Situation, job: ChildJob, asked: datetime | None) -> bool:
    """Whether the pods may go: the state is saved, cannot be, or nobody answers in time."""
    report = s.observed.report
    if not addresses(s) or report is None or report.attempt != job.attempt or not report.step:
        return True
    if asked is None:
        return False
    if report.checkpoint_time and datetime.fromisoformat(report.checkpoint_time) >= asked:
        return True
    return s.now - asked >= PATIENCE
