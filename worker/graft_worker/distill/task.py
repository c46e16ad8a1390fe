"""What the loop trains in a distillation: the student, on the teacher's answers and on labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from graft_worker.data.joining import LABELLED
from graft_worker.distill.answers import TEACHER
from graft_worker.distill.losses import imitation
from graft_worker.train.optimizers import decays

if TYPE_CHECKING:
    from torch import Tensor, nn

    from graft_api.methods.vanilla import Vanilla
    from graft_worker.apps.app import App
    from graft_worker.data.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillTask:
    """A `Task` (see `train/task.py`) that learns from answers beside the labels.

    The loss of a sequence is alpha times its distance from the teacher's answer, and 1 - alpha
    times the app's own loss where it has a label (algorithms.md C1).
    """

    app: App
    module: nn.Module
    method: Vanilla

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The sum over the batch's sequences in fp32; of splits without answers the app's own."""
        answers = batch.targets.get(TEACHER)
        if answers is None:
            return self.app.loss(logits, batch)
        apart = imitation(
            logits,
            answers,
            form=self.method.loss,
            temperature=self.method.temperature,
            problem=self.app.problem,
        )
        alpha = self.method.alpha
        return alpha * apart.sum() + (1 - alpha) * of_labels(self.app, logits, batch)

    def kept(self, logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits as they are, and the column that apps measure against."""
        return logits, batch.targets["target"]

    def metrics(self, logits: Tensor, targets: Tensor) -> Mapping[str, float]:
        """Metrics of a whole split."""
        return self.app.metrics(logits, targets)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Everything is trained, at one rate."""
        return groups(self.module, weight_decay)

    def student(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The weights of the app's network among those that were trained: all of them."""
        return weights


def of_labels(app: App, logits: Tensor, batch: Batch) -> Tensor:
    """The app's own loss, summed over the rows that have a label."""
    labelled = batch.targets.get(LABELLED)
    if labelled is None:
        return app.loss(logits, batch)
    chosen = labelled.bool()
    targets = {name: column[chosen] for name, column in batch.targets.items()}
    return app.loss(logits[chosen], replace(batch, targets=targets))


def groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Optimizer groups of everything at one rate; biases and normalisation do not decay."""
    named = dict(module.named_parameters())
    decaying = {name for name, parameter in named.items() if decays(name, parameter)}
    return [
        {"params": params, "weight_decay": decay, "lr_scale": 1.0}
        for decay, params in (
            (weight_decay, [p for name, p in named.items() if name in decaying]),
            (0.0, [p for name, p in named.items() if name not in decaying]),
        )
    ]
