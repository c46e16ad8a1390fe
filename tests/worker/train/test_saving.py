"""What a save holds up: no step waits for the disk; what it takes counts as saving."""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from graft_api.training import Evaluate, EvaluationInterval
from graft_worker.checkpoint import folders
from graft_worker.distributed.process import Process
from graft_worker.train.run import Run
from tests.worker.checkpoint.saving import held, visible
from tests.worker.train import scenarios, tiny

ALONE = Process()


def wishes(*, keep_best: bool = True) -> dict[str, Any]:
    """Twelve steps; after the sixth and the last the loss is measured, and it falls."""
    evaluate = Evaluate(every=EvaluationInterval(steps=6), keep_best=keep_best)
    return {
        "metric": "loss",
        "mode": "min",
        "validation": tiny.shards(10, seed=1),
        "training": tiny.training(evaluate=evaluate),
    }


@dataclass
class Holding:
    """Holds up all writers until a step; notes what they were given and what is seen of it."""

    root: Path
    until: int
    held: ExitStack
    seen: list[tuple[int | None, list[str]]] = field(default_factory=list)
    name: str = "holding"

    def after_step(self, run: Run) -> None:
        self.seen.append((run.saved_step, visible(self.root)))
        if run.step == self.until:
            self.held.close()


@pytest.mark.timeout(60)
def test_training_goes_on_while_the_best_weights_and_the_state_wait_for_the_disk(
    tmp_path: Path,
) -> None:
    late, free = tmp_path / "late", tmp_path / "free"
    changes = wishes() | {"saving": scenarios.every(6)}
    with ExitStack() as stack:
        stack.enter_context(held(late))
        holding = Holding(late, until=12, held=stack)
        outcome = tiny.train(late, ALONE, extra=(holding,), **changes)
    assert holding.seen == [(None, [])] * 6 + [(6, [])] * 6
    other = tiny.train(free, ALONE, **changes)
    assert outcome.curve.losses == other.curve.losses
    names = ["best-step-00000012", "step-00000006", "step-00000012"]
    assert visible(late) == visible(free) == names
    assert [found.fault() for found in folders.listed(late, kind="step")] == ["", ""]
    for name in names:
        file = f"{name}/state.safetensors"
        assert (late / file).read_bytes() == (free / file).read_bytes()


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        pytest.param(wishes(keep_best=False), 1.0, id="the state at the end"),
        pytest.param(wishes() | {"mode": "max"}, 2.0, id="and the best weights once"),
        pytest.param(wishes(), 3.0, id="and the best weights twice"),
    ],
)
def test_the_best_weights_count_as_time_of_saving(
    tmp_path: Path, changes: dict[str, Any], seconds: float
) -> None:
    ticks = itertools.count()  # a second between any two looks; a save is two looks
    outcome = tiny.train(
        tmp_path, ALONE, saving=scenarios.every(100), clock=lambda: float(next(ticks)), **changes
    )
    assert outcome.result.spent["saving"] == seconds
