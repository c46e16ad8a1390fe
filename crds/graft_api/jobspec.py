"""The part of a spec that the three jobs share, and the rules that cross its fields."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .rules import Part, Rule
from .run import Checkpoint, Output, Run
from .training import Training
from .workers import Workers


class JobSpec(Part):
    """How a job trains, where it runs and what it leaves."""

    training: Training = Field(default_factory=Training)
    """The training loop."""
    workers: Workers = Field(default_factory=Workers)
    """The gang of pods that train."""
    checkpoint: Checkpoint = Field(default_factory=Checkpoint)
    """When the job saves its state."""
    output: Output = Field(default_factory=Output)
    """Where the artefact goes."""
    run: Run = Field(default_factory=Run)
    """How the job runs as a citizen of the cluster."""
    managed_by: Literal["graft.dev/operator", "kueue.x-k8s.io/multikueue"] = "graft.dev/operator"
    """Controller in charge of the job; default the operator."""


JOB_RULES = (
    Rule(
        "!has(self.training.evaluate.earlyStopping) || has(self.data.validation)",
        "training.evaluate.earlyStopping needs data.validation",
        lambda t: t.training.evaluate.early_stopping is None or t.data.validation is not None,
        at="training.evaluate.earlyStopping",
    ),
    Rule(
        "self.training.precision != 'fp16' || self.workers.parallel.tensor == 1",
        "fp16 is not available with workers.parallel.tensor: use bf16, fp32 or auto",
        lambda t: t.training.precision != "fp16" or t.workers.parallel.tensor == 1,
        at="training.precision",
    ),
    Rule(
        "self.training.compile != 'always' || self.workers.parallel.tensor == 1",
        "layers that are split by workers.parallel.tensor are not compiled: use auto or never",
        lambda t: t.training.compile != "always" or t.workers.parallel.tensor == 1,
        at="training.compile",
    ),
    Rule(
        "self.managedBy == 'graft.dev/operator' || has(self.run.queue)",
        "managedBy MultiKueue needs run.queue",
        lambda t: t.managed_by == "graft.dev/operator" or t.run.queue is not None,
        at="run.queue",
    ),
)
