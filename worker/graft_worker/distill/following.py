"""What the loop trains in a distillation with probes: each layer follows one of the teacher's.

S sequences, L layers of the student, T of the teacher, C outputs. Layer 0 is the embeddings, layer
L the head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graft_worker.distill.answers import TEACHER
from graft_worker.distill.losses import imitation
from graft_worker.distill.task import groups, of_labels

if TYPE_CHECKING:
    from torch import Tensor

    from graft_api.methods.probes import Probes
    from graft_worker.apps.app import App
    from graft_worker.data.batch import Batch
    from graft_worker.models.probes import ProbedClassifier

_WHOLE = "model."  # in front of the names of the app's network


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbesTask:
    """A `Task` (see `train/task.py`) whose answers [S, L + 1, C] each have one to follow.

    The loss of a sequence is the app's own where it has a label, and the mean square of the
    distance from the teacher's answer, for the head once, for every other layer `weight` times
    (algorithms.md C2).
    """

    app: App
    module: ProbedClassifier
    method: Probes

    def loss(self, answers: Tensor, batch: Batch) -> Tensor:
        """The sum over the batch's sequences in fp32; of splits without answers the app's own."""
        own = of_labels(self.app, answers[:, -1], batch)
        told = batch.targets.get(TEACHER)
        if told is None:
            return own
        heard = told[:, followed(answers.shape[1] - 1, of=told.shape[1] - 1)]
        apart = imitation(
            answers.flatten(0, 1),
            heard.flatten(0, 1),
            form="mse",
            temperature=1.0,
            problem=self.app.problem,
        ).view(answers.shape[:2])
        return own + apart[:, -1].sum() + self.method.weight * apart[:, :-1].sum()

    def kept(self, answers: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """The head's logits, and the column that apps measure against."""
        return answers[:, -1], batch.targets["target"]

    def metrics(self, logits: Tensor, targets: Tensor) -> Mapping[str, float]:
        """Metrics of a whole split."""
        return self.app.metrics(logits, targets)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Everything is trained at one rate, the student's probes among it."""
        return groups(self.module, weight_decay)

    def student(self, weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """The weights of the app's network among those that were trained: probes stay behind."""
        return {n.removeprefix(_WHOLE): t for n, t in weights.items() if n.startswith(_WHOLE)}


def followed(layers: int, *, of: int) -> list[int]:
    """The teacher's layer that each layer of the student follows: ceil(i * T / L).

    >>> followed(3, of=12), followed(4, of=6), followed(3, of=2)
    ([0, 4, 8, 12], [0, 2, 3, 5, 6], [0, 1, 2, 2])
    """
    return [-(-i * of // layers) for i in range(layers + 1)]
