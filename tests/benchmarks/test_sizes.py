"""What counts as a surprise when a step grows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.s1_sizes import Cost

SMALL = Cost(seconds=1.0, mebibytes=100.0, flops=1e9, processes=1, precision="fp32")


@pytest.mark.parametrize(
    ("larger", "surprises"),
    [
        pytest.param(SMALL, [], id="the same again"),
        pytest.param(
            replace(SMALL, seconds=4.0, mebibytes=300.0, flops=4e9), [], id="as the arithmetic"
        ),
        pytest.param(
            replace(SMALL, seconds=6.2, flops=4e9),
            ["time is 6.20-fold, arithmetic 4.00-fold"],
            id="time grows faster",
        ),
        pytest.param(
            replace(SMALL, mebibytes=400.0, flops=2e9),
            ["memory is 4.00-fold, arithmetic 2.00-fold"],
            id="memory grows faster",
        ),
        pytest.param(replace(SMALL, seconds=0.7, processes=2), [], id="two share the work"),
        pytest.param(
            replace(SMALL, processes=2),
            ["time is 1.00-fold, arithmetic 0.50-fold"],
            id="a second process that saves no time",
        ),
    ],
)
def test_what_grows_faster_than_the_arithmetic_is_a_surprise(
    larger: Cost, surprises: list[str]
) -> None:
    assert list(larger.surprises(SMALL)) == surprises
