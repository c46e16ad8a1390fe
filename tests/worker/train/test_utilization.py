"""What share of the peak is told, and when."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
import torch

from benchmarks.ceiling import Shape, training_flops
from graft_worker.distributed.process import Process
from graft_worker.train import utilization
from tests.worker.train import split_networks, tiny

CPU = torch.device("cpu")


def test_the_peak_is_that_of_the_fastest_product() -> None:
    ticks = iter([0.0, 4.0, 4.0, 6.0, 6.0, 9.0, 9.0, 12.0, 12.0, 15.0, 15.0, 18.0])
    flops = utilization.measured(CPU, torch.float32, lambda: next(ticks))
    assert flops == 2 * 512 * 768 * 768 / 2.0


def test_a_device_that_is_not_measured_has_no_peak() -> None:
    assert utilization.peak(torch.device("meta"), "fp32") is None


def trained(root: Path, *, tick: float) -> tiny.Outcome:
    """A BERT that learns from every row once, by a clock that counts its own readings."""
    ticks = count(step=tick)
    task = tiny.TinyTask(module=split_networks.classifier(split_networks.BERT))
    return tiny.train(root, Process(), task=task, clock=lambda: next(ticks))


def test_a_step_takes_the_flops_that_its_texts_need(tmp_path: Path) -> None:
    """One layer of all tokens, one of first tokens; 16 wide, 24 within, three classes."""
    lengths = tiny.shards().lengths.astype(int).tolist()
    layer = Shape(layers=1, hidden=16, intermediate=24)
    below = sum(training_flops(layer, tokens=n, attended=n) for n in lengths)
    last = sum(lengths) * (6 * 2 * 16 * 16 + 12 * 16)
    once = 6 * (2 * 16 * 16 + 2 * 16 * 24 + 16 * 16 + 16 * 3)
    found = trained(tmp_path, tick=0.1)
    assert found.curve.flops[-1] == pytest.approx(below + last + 120 * once, rel=1e-12)


def test_a_short_training_is_not_held_up_and_a_longer_one_tells_its_share(tmp_path: Path) -> None:
    """By a clock of tenths of a second, and by one of seconds; rates begin after the first step."""
    assert {report.mfu for report in trained(tmp_path / "short", tick=0.1).reports} == {None}
    found = trained(tmp_path / "long", tick=1.0)
    first, last = found.reports[0], found.reports[-1]
    assert first.mfu is None
    peak = utilization.peak(CPU, "fp32")
    assert last.mfu is not None
    assert peak is not None
    seconds = (last.tokens - first.tokens) / last.tokens_per_second
    flops = found.curve.flops[-1] - found.curve.flops[0]
    assert last.mfu * peak * seconds == pytest.approx(flops)


def test_a_network_that_does_not_tell_its_flops_has_no_share(tmp_path: Path) -> None:
    ticks = count(step=1.0)
    found = tiny.train(tmp_path, Process(), clock=lambda: next(ticks))
    assert {report.mfu for report in found.reports} == {None}
