"""Training on a GPU follows the curve of the CPU, in every precision, and goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from graft_api.errors import ConfigError, Stopped
from graft_worker.distributed import process
from graft_worker.distributed.process import Process
from graft_worker.train import micro_batch, precision, utilization
from graft_worker.train.result import TrainingResult
from graft_worker.train.run import Run
from tests.worker.pretrain import learning

DROPPED = {"dropout": 0.1}


@dataclass
class Curve:
    """The loss of each step."""

    name: str = "curve"
    losses: dict[int, float] = field(default_factory=dict)

    def after_step(self, run: Run) -> None:
        assert run.loss is not None
        self.losses[run.step] = run.loss


def trained(root: Path, where: Process, **wishes: Any) -> tuple[TrainingResult, list[float]]:
    curve = Curve()
    result = learning.train(root, where, made=DROPPED, extra=(curve,), **wishes)
    return result, list(curve.losses.values())


@pytest.fixture(scope="module")
def on_cpu(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    return trained(tmp_path_factory.mktemp("cpu"), Process())[1]


@pytest.mark.parametrize(
    ("wish", "far"), [("fp32", 1e-4), ("bf16", 0.05), ("fp16", 0.02)], ids=["fp32", "bf16", "fp16"]
)
def test_the_curve_is_that_of_the_cpu(
    tmp_path: Path, gpu: Process, on_cpu: list[float], wish: str, far: float
) -> None:
    result, losses = trained(tmp_path, gpu, precision=wish)
    assert result.precision == wish
    np.testing.assert_allclose(losses, on_cpu, atol=far)


def test_compiled_blocks_follow_the_same_curve(
    tmp_path: Path, gpu: Process, on_cpu: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        _, losses = trained(tmp_path, gpu, precision="bf16", compile="always")
    assert "2 blocks run compiled code" in caplog.text
    np.testing.assert_allclose(losses, on_cpu, atol=0.05)


def test_a_resumed_run_goes_on_with_the_same_losses(tmp_path: Path, gpu: Process) -> None:
    whole, losses = trained(tmp_path / "whole", gpu)
    asked = iter([False, False, False, True])
    with pytest.raises(Stopped):
        learning.train(tmp_path / "cut", gpu, made=DROPPED, stop=lambda: next(asked))
    rest, after = trained(tmp_path / "cut", gpu)
    np.testing.assert_allclose(after, losses[-len(after) :], atol=1e-6)
    for name, tensor in whole.weights.items():
        torch.testing.assert_close(rest.weights[name], tensor, atol=1e-6, rtol=0)


def test_the_probe_fills_the_memory_that_is_free(gpu: Process) -> None:
    module = learning.module().to(gpu.device)
    free = torch.cuda.mem_get_info(gpu.device)[0]
    sequence = micro_batch.Sequence(bytes=free / 100, tokens=1)
    size = micro_batch.probe(sequence, module, gpu, global_batch=1000, world=1)
    assert 50 <= size <= 60  # of a hundred that would fit, SHARE are taken


def test_the_fastest_format_is_what_the_card_multiplies_in(gpu: Process) -> None:
    assert precision.choose("auto", gpu.device).name == "bf16"


def test_the_peak_is_that_of_products_that_are_waited_for(gpu: Process) -> None:
    """No card of today does ten petaFLOP/s; a product that is only begun seems to."""
    peak = utilization.peak(gpu.device, "bf16")
    assert peak is not None
    assert 1e12 < peak < 1e16


def test_more_processes_than_cards_are_refused(gpu: Process) -> None:
    cards = torch.cuda.device_count()
    variables = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": str(cards)}
    with pytest.raises(ConfigError, match=r"workers\.processes.*no GPU of its own"):
        process.join(variables)
