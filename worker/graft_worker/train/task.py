"""What the loop trains: a module, its loss and its evaluation, without a word of any app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor, nn

from graft_worker.data.batch import Batch


class Task(Protocol):
    """The part of an app and a method that the loop needs; built by `graft_worker.run`."""

    @property
    def module(self) -> nn.Module:
        """The network: `module(batch)` gives what `loss` takes, such as logits [S, C]."""
        ...

    def loss(self, outputs: Any, batch: Batch) -> Tensor:
        """The sum over the batch's sequences, fp32."""
        ...

    def kept(self, outputs: Any, batch: Batch) -> tuple[Tensor, Tensor]:
        """What an evaluation keeps of each sequence: values [S, C] and targets [S, ...]."""
        ...

    def metrics(self, values: Tensor, targets: Tensor) -> Mapping[str, float]:
        """Metrics of a whole split, from what was kept of it, on the CPU."""
        ...

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Optimizer groups: params, weight_decay and lr_scale. Frozen parameters are in none."""
        ...
