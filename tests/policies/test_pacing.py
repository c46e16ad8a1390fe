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


def saying(message, kind="Running"):
    return {"conditions": [{"type": kind, "message": message}]}


def test_a_message_that_changed_is_written_after_the_pause():
    assert due(saying("2 of 3"), saying("3 of 3"), waited=15, pause=15)
    assert not due(saying("2 of 3"), saying("3 of 3"), waited=5, pause=15)


def test_the_number_of_the_step_alone_is_not_worth_a_write():
    old, new = saying("step 1 of 100", "Progressing"), saying("step 2 of 100", "Progressing")
    assert not due(old, new, waited=15, pause=15)
