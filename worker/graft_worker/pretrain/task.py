"""Masked language modelling as the loop trains it.

S sequences, M tokens asked, V ids. Devlin et al. 2019, arXiv 1810.04805, section 3.1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (torch's own name for it)

from graft_worker.data.batch import Asked, Batch
from graft_worker.train.optimizers import decays

if TYPE_CHECKING:
    from graft_worker.models.masked import MaskedLanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedTask:
    """A `Task` (see `train/task.py`): the true ids of hidden tokens are to be found."""

    module: MaskedLanguageModel

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The sum over sequences of each one's mean over its hidden tokens, fp32."""
        asked = _asked(batch)
        return (_surprise(logits, asked) * asked.shares).sum()

    def kept(self, logits: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Of each sequence: the sum of its losses, tokens found and tokens asked, [S, 3]."""
        asked = _asked(batch)
        found = logits.argmax(-1) == asked.answers
        one = torch.ones_like(asked.shares)
        each = torch.stack([_surprise(logits, asked), found.float(), one], 1).cpu()
        sums = torch.zeros(len(batch.samples), 3).index_add_(0, asked.sequences.cpu(), each)
        return sums, torch.zeros(len(sums))

    def metrics(self, values: Tensor, targets: Tensor) -> Mapping[str, float]:  # noqa: ARG002
        """Mean loss in nats and share found, over all hidden tokens of a split."""
        loss, found, asked = values.double().sum(0).tolist()
        return {"mlm_loss": loss / max(1, asked), "mlm_accuracy": found / max(1, asked)}

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """All weights that the loss depends on; the pooler is left as it is."""
        sorted_out: dict[float, list[nn.Parameter]] = defaultdict(list)
        for name, parameter in self.module.named_parameters():
            if parameter.requires_grad:
                sorted_out[weight_decay if decays(name, parameter) else 0.0].append(parameter)
        return [
            {"params": found, "weight_decay": decay, "lr_scale": 1.0}
            for decay, found in sorted_out.items()
        ]


def _asked(batch: Batch) -> Asked:
    assert batch.asked is not None
    return batch.asked


def _surprise(logits: Tensor, asked: Asked) -> Tensor:
    """-log p of each true id, [M] in fp32."""
    return F.cross_entropy(logits.float(), asked.answers, reduction="none")
