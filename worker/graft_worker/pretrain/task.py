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
from graft_worker.pretrain.pairs import SPOILT
from graft_worker.pretrain.surprise import surprise
from graft_worker.train.optimizers import decays

if TYPE_CHECKING:
    from graft_worker.models.masked import MaskedLanguageModel


Outputs = tuple[Tensor, ...]  # logits of hidden tokens [M, V], and perhaps of pairs [S, 2]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedTask:
    """A `Task` (see `train/task.py`): the true ids of hidden tokens are to be found.

    `pairs` names the metric of telling pairs, where these are told as well; the losses are added.
    """

    module: MaskedLanguageModel
    pairs: str = ""

    def loss(self, outputs: Outputs, batch: Batch) -> Tensor:
        """The sum over sequences of each one's mean over its hidden tokens, fp32.

        Where pairs are told, also the sum of their losses.
        """
        asked = _asked(batch)
        loss = (_surprise(outputs[0], asked) * asked.shares).sum()
        return loss + _strangeness(outputs[1], batch).sum() if self.pairs else loss

    def kept(self, outputs: Outputs, batch: Batch) -> tuple[Tensor, Tensor]:
        """Of each sequence: the sum of its losses, tokens found and tokens asked, [S, 3].

        Where pairs are told, also whether this one is told rightly, [S, 4].
        """
        asked, logits = _asked(batch), outputs[0]
        found = logits.argmax(-1) == asked.answers
        one = torch.ones_like(asked.shares)
        each = torch.stack([_surprise(logits, asked), found.float(), one], 1).cpu()
        sums = torch.zeros(len(batch.samples), 3).index_add_(0, asked.sequences.cpu(), each)
        if self.pairs:
            told = outputs[1].argmax(-1) == batch.targets[SPOILT]
            sums = torch.cat([sums, told.float().cpu().unsqueeze(1)], 1)
        return sums, torch.zeros(len(sums))

    def metrics(self, values: Tensor, targets: Tensor) -> Mapping[str, float]:  # noqa: ARG002
        """Mean loss in nats and share found, over all hidden tokens of a split; pairs told."""
        loss, found, asked, *told = values.double().sum(0).tolist()
        metrics = {"mlm_loss": loss / max(1, asked), "mlm_accuracy": found / max(1, asked)}
        return metrics | ({self.pairs: told[0] / len(values)} if self.pairs else {})

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """All weights that the loss depends on."""
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
    return surprise(logits, asked.answers)


def _strangeness(logits: Tensor, batch: Batch) -> Tensor:
    """-log p of what each pair is, [S] in fp32."""
    return F.cross_entropy(logits.float(), batch.targets[SPOILT], reduction="none")
