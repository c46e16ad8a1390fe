"""What share of the peak is told, and when."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
import torch

from graft_worker.distributed.process import Process
from graft_worker.train import utilization
from tests.worker.train import tiny


def test_the_peak_is_that_of_the_fastest_product() -> None:
    ticks = iter([0.0, 4.0, 4.0, 6.0, 6.0, 9.0, 9.0, 12.0, 12.0, 15.0, 15.0, 18.0])
    flops = utilization.measured(torch.float32, lambda: next(ticks))
    assert flops == 2 * 512 * 768 * 768 / 2.0


def test_a_short_training_is_not_held_up_and_a_longer_one_tells_its_share(tmp_path: Path) -> None:
    """By a clock that counts its own readings in tenths of a second, or in seconds."""

    def told(tick: float) -> list[float | None]:
        ticks = count(step=tick)
        found = tiny.train(tmp_path / str(tick), Process(), clock=lambda: next(ticks))
        return [report.mfu for report in found.reports]

    assert set(told(0.1)) == {None}
    first, *_, last = told(1.0)
    assert first is None
    peak = utilization.peak(torch.device("cpu"), "fp32")
    assert last is not None
    assert peak is not None
    tokens = last * peak / utilization.flops_per_token(tiny.Classifier())
    assert tokens == pytest.approx(tokens_per_second(tmp_path / "again"))


def tokens_per_second(root: Path) -> float:
    ticks = count(step=1.0)
    found = tiny.train(root, Process(), clock=lambda: next(ticks))
    return found.reports[-1].tokens_per_second
