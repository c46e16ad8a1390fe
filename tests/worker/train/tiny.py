"""A task small enough to be trained in a test: 120 sequences, 3 thousand weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from graft_api.progress import ProgressReport
from graft_api.run import Checkpoint, CheckpointInterval
from graft_api.training import Length, Optimizer, Training
from graft_worker.checkpoint.store import Checkpoints
from graft_worker.data.batch import Batch
from graft_worker.data.blocks import Block
from graft_worker.data.shards import Shards
from graft_worker.distributed.process import Process
from graft_worker.models.encoder import EncoderConfig
from graft_worker.train.feed import Feed
from graft_worker.train.loop import Trainer
from graft_worker.train.result import TrainingResult
from graft_worker.train.run import Run
from graft_worker.train.settings import Examples, Recipe, Surroundings, Work
from graft_worker.transfer import finetune

VOCABULARY, HIDDEN, LAYERS, ROWS = 50, 16, 2, 120


class Layer(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(HIDDEN)
        self.up = nn.Linear(HIDDEN, 2 * HIDDEN)
        self.down = nn.Linear(2 * HIDDEN, HIDDEN)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        up: Tensor = torch.nn.functional.gelu(self.up(self.norm(hidden)))
        return hidden + self.dropout(self.down(up))


class Encoder(nn.Module):
    """Each sequence's mean embedding at its first slot; so that every token counts."""

    packs = False

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.config = EncoderConfig(
            architecture="tiny",
            vocabulary=VOCABULARY,
            hidden=HIDDEN,
            layers=LAYERS,
            heads=1,
            intermediate=2 * HIDDEN,
            max_positions=64,
        )
        self.embedding = nn.Embedding(VOCABULARY, HIDDEN)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))

    def forward(self, batch: Batch) -> Tensor:
        real = (batch.segments > 0).unsqueeze(-1)
        hidden: Tensor = (self.embedding(batch.ids) * real).sum(1) / real.sum(1)
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden

    def blocks(self) -> nn.ModuleList:
        return self.layers

    def units(self) -> nn.ModuleList:
        return self.layers

    def depth_of(self, parameter: str) -> int:
        return int(parameter.split(".")[1]) + 1 if parameter.startswith("layers.") else 0


class Classifier(nn.Module):
    def __init__(self, dropout: float = 0.0, classes: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder = Encoder(dropout)
        self.head = nn.Linear(HIDDEN, classes)
        self.scale = nn.Parameter(torch.ones(1))  # a gang of two leaves one process without a part

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.scale * self.head(self.encoder(batch))
        return logits


@dataclass
class TinyTask:
    """The Task of the classifier. `loss_of` lets a test break the loss."""

    module: nn.Module = field(default_factory=Classifier)
    spec: Any = None  # of fine-tuning
    spoiled: Callable[[Tensor, Batch], Tensor] = lambda loss, batch: loss

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        loss = nn.functional.cross_entropy(
            outputs.float(), batch.targets["target"], reduction="sum"
        )
        return self.spoiled(loss, batch)

    def kept(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        return outputs, batch.targets["target"]

    def metrics(self, logits: Tensor, targets: Tensor) -> Mapping[str, float]:
        return {"accuracy": (logits.argmax(1) == targets).float().mean().item()}

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        from graft_api.methods.finetune import Finetune

        return finetune.groups(self.module, self.spec or Finetune(), weight_decay)


def shards(rows: int = ROWS, *, seed: int = 0) -> Shards:
    """Sequences of 4 to 20 tokens; the target is told by which third of the ids prevails."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(4, 20, rows).astype(np.int32)
    target = draw.integers(0, 3, rows)
    favoured = [
        draw.integers(1 + 16 * c, 17 + 16 * c, n) for c, n in zip(target, lengths, strict=True)
    ]
    mixed = [np.where(draw.random(len(f)) < 0.5, f, draw.integers(1, 49, len(f))) for f in favoured]
    block = Block(tokens=np.concatenate(mixed), lengths=lengths, per_example={"target": target})
    return Shards.in_memory(block)


def training(**wishes: Any) -> Training:
    """Twelve steps of ten sequences unless told otherwise."""
    defaults: dict[str, Any] = {
        "duration": Length(steps=12),
        "global_batch": 10,
        "micro_batch": 2,
        "optimizer": Optimizer(learning_rate=0.01),
        "precision": "fp32",
    }
    return Training(**(defaults | wishes))


@dataclass
class Recorder:
    """A callback that keeps each step's loss and learning rate, and FLOPs so far."""

    name: str = "recorder"
    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    flops: list[float] = field(default_factory=list)  # since step 0

    def after_step(self, run: Run) -> None:
        assert run.loss is not None
        self.losses.append(run.loss)
        self.rates.append(run.learning_rate)
        self.steps.append(run.step)
        self.flops.append(run.counters.flops)


@dataclass
class Outcome:
    """A finished training, what was reported of it, and its curve."""

    result: TrainingResult
    reports: list[ProgressReport]
    curve: Recorder


def work(root: Path, process: Process, **changes: Any) -> Work:
    """The training in a folder; `changes` replace fields of recipe, examples and surroundings."""
    found = {
        "recipe": Recipe(
            training=training(),
            saving=Checkpoint(every=CheckpointInterval(steps=5)),
            metric="accuracy",
            mode="max",
        ),
        "examples": Examples(train=shards(), width=24, packing=False),
        "surroundings": Surroundings(
            checkpoints=Checkpoints(root, keep=3), report=lambda _: None, stop=lambda: False
        ),
    }
    for part, value in found.items():
        names = set(value.__dataclass_fields__) & changes.keys()
        found[part] = replace(value, **{name: changes.pop(name) for name in names})
    task = changes.pop("task", None) or TinyTask()
    assert not changes
    return Work(task=task, process=process, **found)  # type: ignore[arg-type]  # parts by name


def train(root: Path, process: Process, *, extra: Iterable[Any] = (), **changes: Any) -> Outcome:
    """Trains to the end."""
    reports: list[ProgressReport] = []
    curve = Recorder()
    handed = work(root, process, report=reports.append, **changes)
    result = Trainer(work=handed, extra=(curve, *extra)).run()
    return Outcome(result=result, reports=reports, curve=curve)


def feed(sequences: int) -> Feed:
    """One process's batches of so many sequences."""
    return Feed(
        shards=shards(),
        seed=1,
        global_batch=sequences,
        micro_batch=sequences,
        positions=ROWS,
        width=24,
        packing=False,
        rank=0,
        world=1,
    )
