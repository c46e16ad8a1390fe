"""How often progress is written."""

from __future__ import annotations

import pytest

from graft_operator.policies.pacing import due


def percent(share):
    return {"progress": {"progressPercentage": share}}


@pytest.mark.parametrize(
    ("before", "after", "waited", "expected"),
    [
        pytest.param(1, 2, 5, False, id="moved, but too soon"),
        pytest.param(1, 2, 15, True, id="moved after the pause"),
        pytest.param(1, 1, 15, False, id="not moved"),
        pytest.param(1, 1, 60, True, id="not moved for four pauses"),
    ],
)
def test_progress_is_written_when_it_is_worth_it(before, after, waited, expected):
    assert due(percent(before), percent(after), waited=waited, pause=15) is expected
