"""An app and a method, joined to what the loop trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from graft_api.methods.finetune import Finetune
from graft_worker.transfer import finetune

if TYPE_CHECKING:
    from torch import Tensor, nn

    from graft_api.transferjob import TransferJobSpec
    from graft_worker.apps.app import App
    from graft_worker.data.batch import Batch
    from graft_worker.models.encoder import TextEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTask:
    """A `Task` (see `train/task.py`): the app's module, loss and metrics, the method's groups."""

    app: App
    module: nn.Module
    method: Finetune

    @classmethod
    def of(cls, app: App, encoder: TextEncoder, spec: TransferJobSpec) -> Self:
        """The task of a job; the head's initial weights depend on the job's seed alone."""
        module = app.model(encoder, app.dropout, seed=spec.training.seed)
        return cls(app=app, module=module, method=spec.method.finetune or Finetune())

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """The sum over the batch's sequences in fp32."""
        return self.app.loss(outputs, batch)

    def kept(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits as they are, and the column that apps measure against."""
        return outputs, batch.targets["target"]

    def metrics(self, logits: Tensor, targets: Tensor) -> Mapping[str, float]:
        """Metrics of a whole split."""
        return self.app.metrics(logits, targets)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """What the method trains, and how fast."""
        return finetune.groups(self.module, self.method, weight_decay)
