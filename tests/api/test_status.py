"""What a worker said becomes the status of its job: each sentence with the whole value."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from graft_api.decoding import decode
from graft_api.distilljob import Comparison, DistillJobStatus
from graft_api.jobstatus import (
    Artefact,
    CheckpointStatus,
    Condition,
    Failure,
    Goodput,
    JobStatus,
    MetricValue,
    ModelStatus,
    Progress,
    WorkersStatus,
)
from graft_api.phases import phase
from graft_api.plan import Plan
from graft_api.planner import plan
from graft_api.progress import ProgressReport, Termination
from graft_api.status import LocalRun, local_status
from graft_api.statusblocks import metric_values, progress_status
from graft_api.transferjob import TransferJobStatus
from tests.api.jobs import DISTILL, TRANSFER

STARTED = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 10, 5, 30, 900_000, tzinfo=UTC)
REPORT = ProgressReport(
    job_uid="u",
    attempt=2,
    state="Training",
    step=120,
    total_steps=1000,
    epoch=0.36001,
    world_size=2,
    loss=0.34123456,
    tokens_per_second=5100.6,
    mfu=0.416,
    remaining_seconds=299.6,
    metrics={"accuracy": 0.91, "f1": float("nan")},
    checkpoint_step=100,
    checkpoint_time="2026-03-01T10:04:00Z",
    checkpoint_uri="/store/100",
    productive_seconds=300.2,
    lost_seconds=12.0,
    starting_seconds=6.8,
    time="2026-03-01T10:05:00Z",
)


def _plan() -> Plan:
    return plan(decode(TRANSFER, overrides=["spec.workers={desired: 2, processes: 2}"]))


def _run(stage: str = "train") -> LocalRun:
    return LocalRun(stage=stage, attempt=2, started=STARTED, model_digest="sha256:ab")


def _status(
    termination: Termination | None, *, stage: str = "train", report: ProgressReport | None = REPORT
) -> JobStatus:
    return local_status(_plan(), progress=report, termination=termination, run=_run(stage), now=NOW)


def _told(status: JobStatus) -> list[str]:
    return [f"{c.type}={c.status} {c.reason}: {c.message}" for c in status.conditions]


def test_a_running_job_shows_its_progress() -> None:
    status = _status(None)
    assert status.phase == "Running"
    assert status.progress == Progress(
        step=120,
        total_steps=1000,
        epoch=0.36,
        progress_percentage=12,
        estimated_remaining_seconds=300,
        tokens_per_second=5101,
        mfu_percentage=42,
        last_updated_time="2026-03-01T10:05:00Z",
    )
    assert status.metrics == (
        MetricValue(name="loss", value="0.341235"),
        MetricValue(name="accuracy", value="0.91"),
    )
    assert status.checkpoint == CheckpointStatus(
        step=100, time="2026-03-01T10:04:00Z", uri="/store/100"
    )
    assert status.workers == WorkersStatus(desired=2, target=2, world=2)
    assert status.goodput == Goodput(
        productive_seconds=300,
        lost_seconds=12,
        evaluating_seconds=0,
        saving_seconds=0,
        starting_seconds=7,
        restarting_seconds=0,
    )
    assert status.model == ModelStatus(digest="sha256:ab")
    assert (status.attempt, status.start_time) == (2, "2026-03-01T10:00:00Z")
    assert (status.completion_time, status.failure, status.artefact) == (None, None, None)
    assert _told(status) == [
        "Ready=True AsPlanned: nothing needs to be done",
        "Accepted=True Valid: the job is valid",
        "Prepared=True Validated: the data was read and tokenised",
        "Running=True GangFormed: all processes train",
        "Progressing=True StepAdvancing: step 120 of 1000",
        "Suspended=False NotSuspended: nobody asked it to stop",
        "Complete=False NotComplete: there is no model yet",
        "Failed=False NotFailed: nothing went wrong",
    ]


def test_a_complete_job_names_its_model_and_is_at_a_hundred_percent() -> None:
    last = Termination(
        state="Complete", artefact_uri="/a", artefact_digest="sha256:cd", artefact_bytes=7
    )
    status = _status(last)
    assert status.phase == "Complete"
    assert status.artefact == Artefact(uri="/a", digest="sha256:cd", bytes=7)
    assert status.progress is not None
    assert status.progress.progress_percentage == 100
    assert status.progress.estimated_remaining_seconds == 0
    assert status.completion_time == "2026-03-01T10:05:30Z"
    assert _told(status)[3:] == [
        "Running=False Finished: no process is running",
        "Progressing=False NotStarted: no process is running",
        "Suspended=False NotSuspended: nobody asked it to stop",
        "Complete=True Succeeded: the model is in /a",
        "Failed=False NotFailed: nothing went wrong",
    ]


def test_a_failure_says_who_why_and_what_to_do() -> None:
    last = Termination(
        state="Failed",
        failure_class="UserError",
        exit_code=1,
        rank=3,
        step=121,
        message="the loss is not a number",
        hint="lower training.optimizer.learningRate",
    )
    status = _status(last)
    assert status.phase == "Failed"
    assert status.failure == Failure(
        class_="UserError",
        worker=1,
        exit_code=1,
        step=121,
        message="the loss is not a number",
        hint="lower training.optimizer.learningRate",
    )
    assert status.completion_time == "2026-03-01T10:05:30Z"
    why = "UserError: the loss is not a number; lower training.optimizer.learningRate"
    assert _told(status)[0] == f"Ready=False {why}"
    assert _told(status)[-1] == f"Failed=True {why}"
    assert "Running=False WorkerFailed: the loss is not a number" in _told(status)


def test_a_stopped_job_says_where_it_goes_on() -> None:
    status = _status(Termination(state="Stopped", exit_code=75))
    assert (status.phase, status.failure, status.completion_time) == ("Suspended", None, None)
    message = "SuspendedByUser: saved at step 100; run the same file again to go on"
    assert _told(status)[0] == f"Ready=False {message}"
    assert f"Suspended=True {message}" in _told(status)


def test_bad_data_fails_the_preparation() -> None:
    last = Termination(
        state="Failed", failure_class="DataError", exit_code=65, message="train.tsv:3: no label"
    )
    status = _status(last, stage="prepare", report=None)
    assert (status.phase, status.progress, status.metrics) == ("Failed", None, ())
    assert _told(status)[2:4] == [
        "Prepared=False DataError: train.tsv:3: no label",
        "Running=False WaitingForWorkers: training begins when the data is prepared",
    ]


def test_a_job_that_reads_its_data_is_preparing() -> None:
    assert _status(None, stage="prepare", report=None).phase == "Preparing"


def test_the_status_survives_json_and_newer_fields_do_not_stop_a_reader() -> None:
    status = _status(None)
    text = status.model_dump_json(by_alias=True, exclude_none=True)
    newer = text.replace('"phase"', '"inventedLater":{"a":1},"phase"')
    again = TransferJobStatus.model_validate_json(newer, by_alias=True, by_name=False)
    assert again == status


def test_what_no_bound_of_the_contract_holds_is_cut() -> None:
    report = ProgressReport(
        job_uid="u",
        attempt=1,
        state="Training",
        step=30,
        total_steps=20,
        remaining_seconds=float("inf"),
        metrics={f"{number}-{'m' * 80}": 1.0 for number in range(300)},
    )
    values = metric_values(report)
    assert len(values) == 256
    assert {len(value.name) for value in values} == {64}
    assert progress_status(report) == Progress(
        step=30,
        total_steps=20,
        epoch=0.0,
        progress_percentage=100,
        tokens_per_second=0,
    )


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        pytest.param({}, "Pending", id="nothing is known yet"),
        pytest.param({"Accepted": "False Invalid"}, "Pending", id="the job was refused"),
        pytest.param(
            {"Accepted": "True Valid", "Queued": "False QuotaPending"}, "Queued", id="no quota"
        ),
        pytest.param({"Accepted": "True Valid"}, "Preparing", id="the data is being read"),
        pytest.param({"Running": "False Starting"}, "Starting", id="pods are starting"),
        pytest.param({"Running": "False WaitingForWorkers"}, "Pending", id="pods have no place"),
        pytest.param({"Running": "False WorkerLost"}, "Restarting", id="a worker was lost"),
        pytest.param({"Running": "True Resizing"}, "Resizing", id="the gang is resized"),
        pytest.param({"Running": "True GangFormed"}, "Running", id="the gang trains"),
        pytest.param({"Suspended": "True SuspendedByUser"}, "Suspended", id="suspended"),
        pytest.param({"Complete": "True Succeeded"}, "Complete", id="complete"),
        pytest.param(
            {"Complete": "True Succeeded", "Failed": "True UserError"}, "Failed", id="failed"
        ),
    ],
)
def test_the_phase_is_the_first_that_fits(states: dict[str, str], expected: str) -> None:
    accepted = {"Accepted": "True Valid", "Prepared": "True Validated"}
    known = accepted | states if "Running" in states else states
    conditions = [
        Condition(
            type=kind,
            status="True" if state.startswith("True") else "False",
            reason=state.split()[1],
            last_transition_time="2026-03-01T10:05:30Z",
        )
        for kind, state in known.items()
    ]
    assert phase(conditions) == expected


def test_a_student_is_shown_beside_its_teacher() -> None:
    told = {
        "metric": "accuracy",
        "teacher": "0.92",
        "student": "0.9",
        "sizeRatio": 3.5,
        "speedRatio": 8.25,
    }
    last = Termination(state="Complete", artefact_uri="/store/a", comparison=told)
    job = DISTILL.replace("{job: {kind: TransferJob, name: reviews}}", "{uri: /models/reviews}")
    status = local_status(plan(decode(job)), progress=REPORT, termination=last, run=_run(), now=NOW)
    assert isinstance(status, DistillJobStatus)
    assert status.comparison == Comparison(
        metric="accuracy", teacher="0.92", student="0.9", size_ratio=3.5, speed_ratio=8.25
    )
    assert status.model_dump(by_alias=True)["comparison"] == told
