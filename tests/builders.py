"""Jobs, batch Jobs and pods as the operator sees them, written out in few words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from graft_api.progress import ProgressReport, Termination
from graft_operator.observed import ChildJob, Observed, Pod, Subject
from graft_operator.outcome import Outcome
from graft_operator.settings import Settings
from graft_operator.sync import sync

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
UID = "0b5a6c1e-1111-4222-8333-444455556666"
SETTINGS = Settings(worker_image="graft/worker:1", control_key=b"key", control_key_file="/key")


def at(seconds: float) -> datetime:
    """So many seconds after the start of the story."""
    return START + timedelta(seconds=seconds)


def subject(**spec: Any) -> Subject:
    """A TransferJob named reviews with the given parts of its spec over the shortest useful one."""
    shortest = {
        "app": {"name": "text_classify"},
        "model": {"from": {"zoo": "minilm-l6-en"}},
        "data": {"train": {"uri": "example://reviews/train.tsv"}},
    }
    return Subject(
        kind="TransferJob",
        namespace="team",
        name="reviews",
        uid=UID,
        generation=1,
        version=1,
        created=START,
        spec=shortest | spec,
    )


def gang(lowest: int, highest: int | None = None, *, desired: int | None = None) -> dict[str, Any]:
    """The `workers` of a gang: fixed at `lowest`, or elastic up to `highest`."""
    if highest is None:
        return {"desired": lowest}
    return {"min": lowest, "max": highest, "desired": desired or lowest}


def prepared(job: Subject, *, attempt: int = 1, **status: Any) -> Subject:
    """The job after its prepare stage."""
    conditions = [
        {
            "type": "Prepared",
            "status": "True",
            "reason": "Validated",
            "lastTransitionTime": "2026-01-01T12:00:00Z",
        }
    ]
    return replace(job, status={"attempt": attempt, "conditions": conditions} | status)


def batch(role: str = "worker", attempt: int = 1, **facts: Any) -> ChildJob:
    """A batch Job of the job above."""
    letter = "t" if role == "worker" else "p"
    return ChildJob(
        name=f"reviews-{letter}{attempt}",
        uid=f"{letter}{attempt}",
        owner=UID,
        role=role,
        attempt=attempt,
        plan="",
        created=START,
        **facts,
    )


def pod(index: int = 0, *, role: str = "worker", attempt: int = 1, **facts: Any) -> Pod:
    """A pod of such a batch Job."""
    given: dict[str, Any] = {"created": START, "node": "node1", "address": f"10.0.0.{index}"}
    name = f"reviews-{role}{attempt}-{index}"
    given |= {"name": name, "uid": name} | facts
    return Pod(role=role, attempt=attempt, index=index, **given)


def store(*, attempt: int = 1, **facts: Any) -> Pod:
    """The pod of a gang's rendezvous store."""
    return pod(role="rendezvous", attempt=attempt, phase="Running", **facts)


def running(index: int = 0, **facts: Any) -> Pod:
    """A worker that trains."""
    return pod(index, **({"phase": "Running", "ready": True, "started": True} | facts))


def report(step: int, **facts: Any) -> ProgressReport:
    """What rank 0 says at that step of 100."""
    given: dict[str, Any] = {"attempt": 1, "state": "Training", "total_steps": 100} | facts
    return ProgressReport(job_uid=UID, step=step, **given)


def said(**words: Any) -> str:
    """A termination message."""
    return Termination(**words).to_json()


def look(
    job: Subject, observed: Observed, *, now: datetime = START, settings: Settings = SETTINGS
) -> Outcome:
    """One reconcile, with the usual settings unless others are given."""
    return sync(job, observed, settings=settings, now=now)


def after(job: Subject, outcome: Outcome) -> Subject:
    """The job with the status that the outcome wants written."""
    return job if outcome.status is None else replace(job, status=outcome.status)


def condition(outcome: Outcome, kind: str) -> tuple[str, str, str]:
    """Status, reason and message of a condition that the outcome writes."""
    assert outcome.status is not None, "nothing is written"
    found = next(c for c in outcome.status["conditions"] if c["type"] == kind)
    return found["status"], found["reason"], found["message"]
