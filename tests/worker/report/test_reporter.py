from __future__ import annotations

import logging
import math
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from graft_api.progress import ProgressReport, State
from graft_worker.report.reporter import Reporter, sentence

REPORT = ProgressReport(
    job_uid="u",
    attempt=1,
    state="Training",
    step=3,
    total_steps=9,
    loss=0.5,
    metrics={"accuracy": 0.75},
    tokens_per_second=51000.4,
    remaining_seconds=61.0,
)


def test_all_readers_see_the_same_report(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path, copy=tmp_path / "copy")
    reporter.publish(REPORT)
    line = REPORT.to_json()
    assert reporter.last == REPORT
    assert (tmp_path / "progress.json").read_text() == line
    assert (tmp_path / "metrics.jsonl").read_text() == f"{line}\n"
    assert (tmp_path / "copy").read_text() == line


def test_every_report_becomes_a_point_of_the_curve(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path)
    for step in (1, 2, 3):
        reporter.publish(replace(REPORT, step=step))
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [ProgressReport.from_json(line).step for line in lines] == [1, 2, 3]
    assert ProgressReport.from_json((tmp_path / "progress.json").read_text()).step == 3


def test_a_line_that_a_dead_writer_left_unfinished_is_ended(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"st')
    Reporter(tmp_path).publish(REPORT)
    assert (tmp_path / "metrics.jsonl").read_text() == (
        '{"step": 1}\n{"st\n' + REPORT.to_json() + "\n"
    )


def test_readers_never_see_half_a_report(tmp_path: Path) -> None:
    reporter, stop, seen = Reporter(tmp_path), threading.Event(), set[str]()
    reporter.publish(REPORT)

    def read() -> None:
        while not stop.is_set():
            seen.add((tmp_path / "progress.json").read_text())

    reader = threading.Thread(target=read)
    reader.start()
    reports = [replace(REPORT, step=step, job_uid="u" * 100 * step) for step in range(200)]
    for report in reports:
        reporter.publish(report)
    stop.set()
    reader.join()
    assert seen <= {report.to_json() for report in [REPORT, *reports]}


def test_numbers_that_json_lacks_are_left_out_of_the_files(tmp_path: Path) -> None:
    metrics = {"pearson": math.nan, "accuracy": 0.5}
    Reporter(tmp_path).publish(replace(REPORT, loss=math.inf, metrics=metrics))
    assert ProgressReport.from_json((tmp_path / "progress.json").read_text()) == replace(
        REPORT, loss=None, metrics={"accuracy": 0.5}
    )


def test_the_first_process_of_another_worker_writes_for_its_launcher_alone(tmp_path: Path) -> None:
    Reporter(None, copy=tmp_path / "report.json").publish(REPORT)
    Reporter(None).publish(REPORT)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_folder_that_is_gone_stops_nothing_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    reporter = Reporter(folder)
    shutil.rmtree(folder)
    reporter.publish(REPORT)
    reporter.publish(REPORT)
    assert caplog.messages == [f"{folder}: no progress is written: No such file or directory"]
    folder.mkdir()
    reporter.publish(REPORT)
    assert (folder / "progress.json").read_text() == REPORT.to_json()


def test_the_log_has_a_line_every_ten_seconds_and_one_for_every_new_state(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    now = 0.0
    reporter = Reporter(None, clock=lambda: now)
    moments: tuple[tuple[int, State], ...] = (
        (0, "Training"),
        (5, "Training"),
        (6, "Saving"),
        (15, "Saving"),
        (16, "Saving"),
    )
    for second, state in moments:
        now = float(second)
        reporter.publish(ProgressReport(job_uid="u", attempt=1, state=state, step=second))
    assert caplog.messages == [
        "Training: step 0 of 0",
        "Saving: step 6 of 0",
        "Saving: step 16 of 0",
    ]


def test_a_report_reads_as_a_sentence() -> None:
    assert sentence(REPORT) == (
        "Training: step 3 of 9, loss 0.5000, accuracy 0.7500, 51,000 tokens/s, 61 s left"
    )
