"""The training loop: length, optimiser, schedule, evaluation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from . import scalars as s
from .rules import ATOMIC, Part, Rule, exactly_one, only_with


class Length(Part):
    """How long to train; exactly one."""

    epochs: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Passes over the training data; fractions are allowed."""
    steps: s.Count | None = None
    """Optimiser steps."""
    tokens: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """Tokens read, padding not counted."""

    rules = (exactly_one("epochs", "steps", "tokens"),)
    schema_extra = ATOMIC


class Optimizer(Part):
    """The optimiser and its main numbers."""

    name: Literal["adamw", "lamb", "adafactor", "sgd", "adam"] = "adamw"
    """Algorithm; default adamw."""
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 3e-5
    """Peak learning rate; default 3e-5."""
    weight_decay: s.Ratio = 0.01
    """Decoupled weight decay; default 0.01."""
    momentum: s.Ratio | None = None
    """Momentum of sgd; absent: 0.9."""

    rules = (only_with("momentum", "name", "sgd"),)


class Schedule(Part):
    """The learning rate over time."""

    name: Literal["constant", "linear", "cosine", "polynomial"] = "linear"
    """Shape after the warm-up; default linear."""
    warmup: s.Weight = 0.1
    """Warm-up: below 1 a share of all steps, from 1 a number of steps. Default 0.1."""
    power: s.Positive | None = None
    """Exponent of polynomial; absent: 1."""

    rules = (
        only_with("power", "name", "polynomial"),
        Rule(
            "self.warmup < 1.0 || self.warmup == double(int(self.warmup))",
            "warmup {warmup} is neither a share below 1 nor a whole number of steps",
            lambda p: p.warmup < 1 or p.warmup == int(p.warmup),
            at="warmup",
        ),
    )


class EvaluationInterval(Part):
    """How often; exactly one."""

    steps: s.Count | None = None
    """Optimiser steps between two evaluations."""
    epochs: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Epochs between two evaluations."""

    rules = (exactly_one("steps", "epochs"),)
    schema_extra = ATOMIC


class EarlyStopping(Part):
    """Stops when the metric no longer improves."""

    patience: s.Count = 5
    """Evaluations without improvement before the job stops; default 5."""
    min_delta: s.Weight = 0.0
    """Smallest change that counts as improvement; default 0."""


class Evaluate(Part):
    """Evaluation on data.validation."""

    every: EvaluationInterval = Field(default_factory=lambda: EvaluationInterval(epochs=1))
    """How often; default once per epoch."""
    metric: s.Short | None = None
    """Metric that chooses the best checkpoint; absent: the app's own."""
    mode: Literal["auto", "max", "min"] = "auto"
    """Whether more is better; auto knows it for the metrics of the apps."""
    keep_best: bool = True
    """Keeps the best checkpoint besides the newest; default true."""
    early_stopping: EarlyStopping | None = None
    """Stops when the metric no longer improves; absent: never."""


class Training(Part):
    """The training loop."""

    named = True

    duration: Length = Field(default_factory=lambda: Length(epochs=3))
    """How long to train; default 3 epochs."""
    global_batch: Annotated[int, Field(ge=1, le=2**24)] = 32
    """Sequences per optimiser step, whatever the number of workers; default 32."""
    micro_batch: s.CountOrAuto = "auto"
    """Sequences per process and pass; auto finds it by a memory probe."""
    optimizer: Optimizer = Field(default_factory=Optimizer)
    """The optimiser."""
    schedule: Schedule = Field(default_factory=Schedule)
    """The learning rate over time."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format of the computation; auto probes the device."""
    compile: Literal["auto", "always", "never"] = "auto"
    """Whether the layers are compiled; auto compiles trainings of 1000 steps or more on a GPU."""
    packing: Literal["auto", "always", "never"] = "auto"
    """Whether several examples share a row; auto packs when padding would exceed a quarter."""
    gradient_clip: s.Weight = 1.0
    """Largest norm of the gradient, 0 turns clipping off; default 1."""
    seed: s.Natural = 42
    """Seed of every random number generator; default 42."""
    evaluate: Evaluate = Field(default_factory=Evaluate)
    """Evaluation on data.validation."""

    rules = (
        Rule(
            "type(self.microBatch) == string || int(self.microBatch) <= self.globalBatch",
            "microBatch {microBatch} is larger than globalBatch {globalBatch}",
            lambda t: t.micro_batch == "auto" or t.micro_batch <= t.global_batch,
            at="microBatch",
        ),
    )
