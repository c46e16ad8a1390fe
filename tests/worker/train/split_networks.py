"""Trainings of our encoders that one process does alone, and several with split layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from graft_api.methods.finetune import Finetune
from graft_api.training import Length, Optimizer
from graft_worker.checkpoint.store import Checkpoints
from graft_worker.distributed.process import Process
from graft_worker.models.bert import BertEncoder
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.heads import SequenceClassifier
from tests.worker.pretrain import learning
from tests.worker.train import scenarios, tiny

STEPS, CUT = 4, 2
BERT: dict[str, Any] = {"architecture": "bert"}
ALBERT: dict[str, Any] = {"architecture": "albert", "embedding": 8, "groups": 1, "inner": 2}


@dataclass(frozen=True)
class Case:
    """What is trained, and how far weights may be from those of one process."""

    network: dict[str, Any]
    optimizer: Optimizer
    tolerance: float = 1e-5
    method: Finetune = field(default_factory=Finetune)
    packing: bool = True


CASES = {
    # One step takes the gradient away, so that the weights tell how far gradients are.
    "gradients": Case(
        BERT, Optimizer(name="sgd", learning_rate=0.5, momentum=0.0, weight_decay=0.0), 1e-6
    ),
    "bert": Case(BERT, Optimizer(learning_rate=2e-3)),
    "lamb": Case(BERT, Optimizer(name="lamb", learning_rate=0.01), packing=False),
    "albert": Case(ALBERT, Optimizer(name="lamb", learning_rate=0.01)),
    "frozen": Case(BERT, Optimizer(learning_rate=2e-3), method=Finetune(freeze_layers=1)),
}


def classifier(sizes: dict[str, Any]) -> SequenceClassifier:
    """Four heads in two layers, with dropout, which is a function of the token."""
    config = EncoderConfig(
        **sizes,
        vocabulary=tiny.VOCABULARY,
        hidden=16,
        layers=2,
        heads=4,
        intermediate=24,
        max_positions=24,
        dropout=0.1,
        raw={"initializer_range": 0.3},
    )
    encoder = BertEncoder.random(config, seed=1)
    return SequenceClassifier(encoder, outputs=3, dropout=0.1, seed=1)


def wishes(name: str) -> dict[str, Any]:
    """What the trainer is told of a case; micro-batches of two, one of them short of a row."""
    case = CASES[name]
    task = tiny.TinyTask(module=classifier(case.network), spec=case.method)
    return {
        "task": task,
        "packing": case.packing,
        "validation": tiny.shards(11, seed=1),
        "training": tiny.training(
            duration=Length(steps=STEPS), global_batch=15, optimizer=case.optimizer
        ),
    }


def trained(
    root: Path, process: Process, name: str, *, strategy: str = "auto"
) -> scenarios.Trained:
    """A case to its end, from the newest checkpoint in the folder."""
    return scenarios.trained(root, process, strategy=strategy, **wishes(name))


def cut(root: Path, process: Process, name: str) -> str:
    """The same, stopped in the middle; the state is saved."""
    return scenarios.cut(root, process, after=CUT, **wishes(name))


def pretrained(root: Path, process: Process) -> scenarios.Trained:
    """A BERT that finds hidden words, in packed rows."""
    curve = tiny.Recorder()
    result = learning.train(
        root, process, made={"dropout": 0.1}, extra=(curve,), duration=Length(steps=STEPS)
    )
    return scenarios.Trained(
        losses=curve.losses,
        weights=scenarios.weights(dict(result.weights)),
        metrics=dict(result.metrics),
        samples=[],
        steps=curve.steps,
        strategy=result.strategy,
        flops=curve.flops,
    )


def shapes(root: Path) -> dict[str, tuple[int, ...]]:
    """What the newest checkpoint in a folder holds."""
    found = Checkpoints(root, keep=3)
    newest = found.newest()
    assert newest is not None
    tensors, _ = found.load(newest)
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def follows(found: scenarios.Trained, whole: scenarios.Trained, tolerance: float = 1e-5) -> None:
    """Checks the curve, the weights and the metrics against those of one process."""
    losses = whole.losses[-len(found.losses) :]
    np.testing.assert_allclose(found.losses, losses, atol=tolerance, rtol=0)
    assert {n: w.shape for n, w in found.weights.items()} == {
        n: w.shape for n, w in whole.weights.items()
    }
    assert scenarios.close(found.weights, whole.weights) < tolerance
    assert found.metrics.keys() == whole.metrics.keys()
    for name, value in whole.metrics.items():
        assert abs(found.metrics[name] - value) < 1e-5, name
