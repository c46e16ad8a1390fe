"""Where the time of a run that is killed goes, from what the runs leave behind."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from benchmarks import c14_goodput, killing
from benchmarks.c14_goodput import Trained
from benchmarks.killing import Run
from benchmarks.peers import notes
from benchmarks.spending import Spending, usual_step


def step(number: int, began: float, *, pid: int = 1) -> dict[str, Any]:
    return {"pid": pid, "step": number, "began": began, "ended": began + 2}


def test_a_peer_s_steps_and_kills_tell_where_its_time_went() -> None:
    """Killed at 16, and again at 20 before it had made a step: one restart, one step again."""
    again = [step(2, 30, pid=2), step(3, 32, pid=2)]
    found = Spending.of_notes(
        Run(began=0, ended=40, kills=[16, 20]), [step(1, 10), step(2, 13), *again]
    )
    assert (found.steps, found.step, found.kills) == (3, 2, 2)
    assert found.goodput == pytest.approx(3 * 2 / 40)
    assert found.shares() == pytest.approx(
        {
            "steps kept": 6 / 40,
            "steps done again": 2 / 40,
            "restarts": 14 / 40,
            "start": 10 / 40,
            "checkpoints, broken steps, end": 8 / 40,
        }
    )


def second(number: int) -> str:
    return f"1970-01-01T00:00:{number:02}+00:00"


def reported(step: int, kept: float, began: int, time: int) -> dict[str, Any]:
    moments = {"began": second(began), "time": second(time)}
    return {"step": step, "productiveSeconds": kept, "lostSeconds": 3.0, **moments}


def test_ours_is_told_by_its_reports_and_the_kills() -> None:
    """Step 2 is done again; killed at 20, it goes on at 22."""
    told = [(1, 2, 10, 12), (3, 6, 10, 16), (2, 4, 22, 24), (10, 20, 22, 41)]
    reports = [reported(*facts) for facts in told]
    found = Spending.of_reports(Run(began=5, ended=45, kills=[20]), reports)
    assert (found.steps, found.step) == (10, 2.0)
    assert found.goodput == pytest.approx(20 / 40)
    assert list(found.shares().values()) == pytest.approx([0.5, 0.075, 0.05, 0.125, 0.25])


def test_the_usual_step_is_that_of_most_steps_not_of_most_reports() -> None:
    told = [(0, 0.0), (1, 9.0), (11, 19.0), (12, 24.0)]
    reports = [reported(number, seconds, 0, 0) for number, seconds in told]
    assert usual_step(reports) == 1.0


def test_a_killed_training_that_differs_by_a_bit_voids_the_row() -> None:
    def trained(loss: float, *, weights: str = "ab", kills: tuple[float, ...] = (1.0,)) -> Trained:
        run = Run(began=0, ended=9, kills=list(kills))
        return Trained(run=run, reports=[{"step": 7, "loss": loss}], weights=weights)

    calm = trained(0.5, kills=())
    assert c14_goodput.faults(calm, trained(0.5)) == []
    assert c14_goodput.faults(calm, trained(0.5 + 2**-53, weights="cd", kills=())) == [
        "the loss of step 7 is not that of a training without kills",
        "the weights are not those of a training without kills",
        "no worker was killed",
    ]


@pytest.mark.parametrize(
    ("goodput", "told"),
    [
        (0.93141, "The target of 0.90 is reached: the goodput of ours is 0.9314."),
        (0.89996, "The target of 0.90 is reached: the goodput of ours is 0.9000."),
        (0.89994, "The target of 0.90 is not reached: the goodput of ours is 0.8999."),
    ],
)
def test_a_row_says_whether_its_target_is_reached(goodput: float, told: str) -> None:
    assert c14_goodput.reached(goodput) == told


def test_kills_come_at_random_and_the_same_for_everybody() -> None:
    one, other = (killing.moments(120, random.Random(1)) for _ in range(2))
    assert one == other == tuple(sorted(one))
    assert [round(moment) for moment in one[:5]] == [17, 243, 416, 451, 534]
    assert one != killing.moments(120, random.Random(2))


def test_a_checkpoint_that_was_being_written_is_no_start(tmp_path: Path) -> None:
    assert notes.newest(tmp_path.glob("checkpoint-*")) is None
    for number, names in ((5, notes.WHOLE), (10, notes.WHOLE), (15, notes.WHOLE[:-1])):
        folder = tmp_path / f"checkpoint-{number}"
        folder.mkdir()
        for name in names:
            (folder / name).touch()
    assert notes.newest(tmp_path.glob("checkpoint-*")) == str(tmp_path / "checkpoint-10")
