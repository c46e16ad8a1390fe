"""Schedules against their closed formulas."""

from __future__ import annotations

import math

import pytest

from graft_api.training import EvaluationInterval, Length, Schedule
from graft_worker.train import durations, schedules


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            {"name": "linear", "warmup": 2},
            [1 / 3, 2 / 3, 1.0, 0.75, 0.5, 0.25],
            id="linear falls to the last step, which still learns",
        ),
        pytest.param(
            {"name": "constant", "warmup": 0.5},
            [0.25, 0.5, 0.75, 1.0, 1.0, 1.0],
            id="a warm-up below one is a share of the steps",
        ),
        pytest.param(
            {"name": "cosine", "warmup": 0},
            [0.5 * (1 + math.cos(math.pi * s / 6)) for s in range(6)],
            id="cosine without warm-up begins at one",
        ),
        pytest.param(
            {"name": "polynomial", "warmup": 0, "power": 2.0},
            [(1 - s / 6) ** 2 for s in range(6)],
            id="polynomial takes its power",
        ),
        pytest.param(
            {"name": "linear", "warmup": 100},
            [(s + 1) / 7 for s in range(6)],
            id="a warm-up longer than the training only rises",
        ),
    ],
)
def test_factor_of_every_step(spec: dict[str, object], expected: list[float]) -> None:
    factor = schedules.build(Schedule(**spec), total=6)  # type: ignore[arg-type]  # by field name
    assert [factor(step) for step in range(6)] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        pytest.param(Length(epochs=2.5), 250, id="epochs"),
        pytest.param(Length(steps=7), 112, id="steps"),
        pytest.param(Length(tokens=501), 51, id="tokens, rounded up to a whole sample"),
    ],
)
def test_samples_of_a_duration(length: Length, expected: int) -> None:
    assert durations.positions(length, rows=100, tokens=1000, global_batch=16) == expected


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        pytest.param(EvaluationInterval(steps=3), [3, 6, 9], id="every third step"),
        pytest.param(EvaluationInterval(epochs=1), [4, 7, 10], id="the step that ends an epoch"),
        pytest.param(EvaluationInterval(epochs=0.1), list(range(1, 11)), id="at most every step"),
    ],
)
def test_steps_that_evaluate(every: EvaluationInterval, expected: list[int]) -> None:
    due = [s for s in range(1, 11) if durations.due(every, s, rows=100, global_batch=32)]
    assert due == expected
