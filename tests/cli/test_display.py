"""What a person watches while a job runs."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.progress import Progress

from graft_api.progress import ProgressReport
from graft_cli import display, figures, screen
from graft_worker.local.events import Began, Ended, Event, Progressed, Stopping

REPORT = ProgressReport(
    job_uid="41061226",
    attempt=1,
    state="Training",
    step=120,
    total_steps=300,
    loss=0.41234,
    samples_per_second=1530.4,
    tokens_per_second=61200.0,
    remaining_seconds=3723,
    metrics={"eval_loss": 0.3, "accuracy": 0.8712, "auc": 0.9},
)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(
            REPORT,
            (
                "loss 0.4123",
                "1,530 texts/s",
                "61,200 tokens/s",
                "1:02:03 left",
                "accuracy 0.8712",
                "auc 0.9",
            ),
            id="everything that is known, metrics before their loss",
        ),
        pytest.param(
            ProgressReport(job_uid="u", attempt=1, state="Starting"), (), id="nothing is invented"
        ),
    ],
)
def test_details(report: ProgressReport, expected: tuple[str, ...]) -> None:
    assert figures.details(report) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.4, "0:00"), (7, "0:07"), (750, "12:30"), (3599.6, "1:00:00")]
)
def test_spans(seconds: float, expected: str) -> None:
    assert figures.span(seconds) == expected


@pytest.mark.parametrize(("number", "expected"), [(0.25, "0.25"), (9.4, "9.4"), (1234.5, "1,234")])
def test_counts(number: float, expected: str) -> None:
    assert figures.count(number) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("wipe\rout\x9b2J", "wipe\\rout\\x9b2J"),
        ("evil\u202etxt", "evil\\u202etxt"),
        ("中文，好", "中文，好"),
    ],
)
def test_no_terminal_obeys_the_text_of_others(text: str, expected: str) -> None:
    assert screen.harmless(text) == expected


def steps(*numbers: int) -> Iterator[Progressed]:
    for number in numbers:
        report = ProgressReport(
            job_uid="u", attempt=1, state="Training", step=number, total_steps=9
        )
        yield Progressed(stage="train", report=report)


def test_lines_come_at_most_every_ten_seconds_and_the_last_is_never_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = iter([100.0, 100.0, 104.0, 109.9, 110.0, 110.0, 112.0, 112.0, 112.0])
    lines = display.Lines(lambda: next(now))
    lines.show(Began(stage="train", attempt=2, resumed=40))
    for event in steps(1, 2, 3, 4, 5):
        lines.show(event)
    lines.show(Stopping(stage="train"))
    lines.show(Ended(stage="train", exit_code=75))
    assert capsys.readouterr().err.splitlines() == [
        "train: attempt 2, from the checkpoint of step 40",
        "train: training  step 1/9",
        "train: training  step 4/9",
        "train: saving a checkpoint, then stopping; a second Ctrl-C stops at once",
        "train: training  step 5/9",
    ]


def test_a_stage_does_not_repeat_the_last_line_of_the_one_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = display.Lines(lambda: 0.0)
    ended: tuple[Event, ...] = (Ended(stage="train", exit_code=0), Ended(stage="x", exit_code=0))
    for event in (*steps(9), *ended):
        lines.show(event)
    assert capsys.readouterr().err.splitlines() == ["train: training  step 9/9"]


def test_the_bar_shows_the_report_and_no_markup_of_others() -> None:
    screen_text = io.StringIO()
    console = Console(file=screen_text, force_terminal=True, width=160, color_system=None)
    with display.bar(console) as progress:
        assert isinstance(progress, Progress)
        shown = display.Bar(progress)
        events: tuple[Event, ...] = (
            Began(stage="train", attempt=2, resumed=40),
            Progressed(stage="train", report=REPORT),
            Ended(stage="train", exit_code=0),
        )
        for event in events:
            shown.show(event)
    text = screen_text.getvalue()
    assert "train: attempt 2, from the checkpoint of step 40" in text
    final = text.splitlines()[-2]  # the last turns the cursor on again
    assert "done" in final
    assert "step 120/300" in final
    assert "loss 0.4123  1,530 texts/s" in final
