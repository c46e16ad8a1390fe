"""What pretraining must do: learn, go on to the bit, and not care about the number of processes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from graft_api.errors import Stopped
from graft_api.training import Length, Optimizer
from graft_worker.distributed.process import Process
from graft_worker.train.run import Run
from tests.worker.distributed import gang
from tests.worker.pretrain import learning


@dataclass
class Recorder:
    """Each step's loss and the tokens asked, by step."""

    name: str = "recorder"
    losses: dict[int, float] = field(default_factory=dict)

    def after_step(self, run: Run) -> None:
        assert run.loss is not None
        self.losses[run.step] = run.loss


def test_a_tiny_bert_learns_more_than_how_often_words_occur(tmp_path: Path) -> None:
    result = learning.train(
        tmp_path,
        Process(),
        duration=Length(steps=120),
        global_batch=32,
        micro_batch=32,
        optimizer=Optimizer(learning_rate=3e-3),
    )
    entropy = math.log(learning.TOPICS * learning.WORDS)
    assert result.metrics["mlm_loss"] < entropy - 1
    assert result.metrics["mlm_loss"] > math.log(learning.WORDS) - 0.2  # more cannot be known
    assert result.best_metrics["mlm_loss"] <= result.metrics["mlm_loss"] + 1e-9


Trained = tuple[dict[int, float], dict[str, float], dict[str, Any]]


def trained(process: Process, root: str, strategy: str, *, shared: bool) -> Trained:
    recorder, made = Recorder(), {"dropout": 0.1, "shared": shared}
    folder = Path(root) / f"{strategy}-{shared}"
    result = learning.train(folder, process, made=made, extra=(recorder,), strategy=strategy)
    weights = {name: tensor.numpy() for name, tensor in result.weights.items()}
    return recorder.losses, dict(result.metrics), weights


def all_of(process: Process, root: str) -> dict[tuple[str, bool], Trained]:
    return {
        (strategy, shared): trained(process, root, strategy, shared=shared)
        for strategy in ("ddp", "fsdp")
        for shared in (False, True)
    }


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[tuple[str, bool], Trained], ...]:
    return gang.run(2, all_of, str(tmp_path_factory.mktemp("two")))


@pytest.mark.parametrize("shared", [False, True], ids=["bert", "albert"])
def test_two_processes_follow_the_curve_of_one(
    ranks: tuple[dict[tuple[str, bool], Trained], ...], tmp_path: Path, shared: bool
) -> None:
    alone = trained(Process(), str(tmp_path), "auto", shared=shared)
    for strategy in ("ddp", "fsdp"):
        losses, metrics, weights = ranks[0][strategy, shared]
        assert losses == ranks[1][strategy, shared][0]
        assert list(losses) == [1, 2, 3, 4, 5, 6]
        np.testing.assert_allclose(list(losses.values()), list(alone[0].values()), atol=1e-5)
        assert metrics == pytest.approx(alone[1], abs=1e-5)
        far = max(float(np.abs(weights[name] - alone[2][name]).max()) for name in alone[2])
        assert far < 1e-5, strategy


@pytest.mark.parametrize("shared", [False, True], ids=["bert", "albert"])
def test_a_resumed_run_hides_the_same_words_and_ends_with_the_same_bits(
    tmp_path: Path, shared: bool
) -> None:
    whole, rest, made = Recorder(), Recorder(), {"dropout": 0.1, "shared": shared}
    expected = learning.train(tmp_path / "whole", Process(), made=made, extra=(whole,))
    asked = iter([False, False, False, True])
    with pytest.raises(Stopped):
        learning.train(tmp_path / "cut", Process(), made=made, stop=lambda: next(asked))
    found = learning.train(tmp_path / "cut", Process(), made=made, extra=(rest,))
    assert rest.losses
    assert 1 not in rest.losses
    assert all(whole.losses[step] == loss for step, loss in rest.losses.items())
    for name, tensor in expected.weights.items():
        assert torch.equal(found.weights[name], tensor), name
