"""What is chosen from what was measured: number format and budget."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from graft_worker.serve.probing import alike, choose_budget, choose_format

EXACT = np.array([[2.0, -1.0], [-0.5, 0.5]], np.float32)


@pytest.mark.parametrize(
    ("seconds", "rounded", "chosen"),
    [
        pytest.param((1.0, 0.5), EXACT + 0.01, "bf16", id="twice as fast, and alike"),
        pytest.param((1.0, 0.9), EXACT, "fp32", id="barely faster"),
        pytest.param((1.0, 2.0), EXACT, "fp32", id="slower"),
        pytest.param((1.0, 0.5), -EXACT, "fp32", id="fast, but other answers"),
        pytest.param((1.0, 0.5), EXACT * np.nan, "fp32", id="fast, but no numbers"),
    ],
)
def test_the_number_format(seconds: tuple[float, float], rounded: np.ndarray, chosen: str) -> None:
    measured = dict(zip(("fp32", "bf16"), seconds, strict=True))
    assert choose_format(measured, {"fp32": EXACT, "bf16": rounded}) == chosen


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [
        ({256: 100.0, 512: 109.0, 1024: 90.0, 2048: 80.0}, 256),
        ({256: 100.0, 512: 200.0, 1024: 208.0, 2048: 205.0}, 512),
        ({256: 1.0, 512: 2.0, 1024: 4.0, 2048: 8.0}, 2048),
    ],
    ids=["flat: the smallest", "flat from 512 on", "the largest is by far the best"],
)
def test_the_budget_is_the_smallest_that_is_about_as_fast(
    rates: Mapping[int, float], chosen: int
) -> None:
    assert choose_budget(rates) == chosen


def test_a_number_may_differ_by_a_share_of_itself() -> None:
    one = np.array([[100.0]], np.float32)
    assert alike(one, one + 1)
    assert not alike(one, one + 3)
