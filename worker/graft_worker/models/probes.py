"""Probes: a linear classifier on what an encoder knows before each of its layers.

Probe 0 reads the mean of the embedded tokens, probe i the first token after layer i. What stands
above the last layer is the model's own head, so that it needs no probe.

S sequences, R rows of W slots, L layers and probes, H hidden, C outputs.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from graft_worker.data.batch import Batch
from graft_worker.models.arithmetic import Arithmetic, of_weights
from graft_worker.models.encoder import Layered, LayeredEncoder
from graft_worker.models.heads import SequenceClassifier

_DEVIATION = 0.02


class Probes(nn.Module):
    """L classifiers, zero until drawn or loaded."""

    def __init__(self, *, layers: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(layers, outputs, hidden))
        self.bias = nn.Parameter(torch.zeros(layers, outputs))

    def draw(self, *, seed: int) -> Probes:
        """These probes with initial weights: a function of the seed, of no global state."""
        generator = torch.Generator().manual_seed(seed)
        std = _DEVIATION
        nn.init.trunc_normal_(self.weight, 0, std, -2 * std, 2 * std, generator)
        return self

    def forward(self, states: Tensor) -> Tensor:
        """States [S, L, H] to answers [S, L, C]."""
        return torch.einsum("slh,lch->slc", states, self.weight) + self.bias


class ProbedClassifier(nn.Module):
    """A classifier whose layers answer, too; its encoder is a `LayeredEncoder`."""

    def __init__(self, model: SequenceClassifier, probes: Probes) -> None:
        super().__init__()
        self.model = model
        self.probes = probes

    @property
    def encoder(self) -> LayeredEncoder:
        """The classifier's."""
        return cast("LayeredEncoder", self.model.encoder)

    def forward(self, batch: Batch) -> Tensor:
        """Answers [S, L + 1, C]: of the probes, and last of the head."""
        found = self.encoder.layered(batch)
        own = self.model.of(found.summary, batch)
        return torch.cat([self.probes(states(found, batch)), own.unsqueeze(1)], dim=1)

    def arithmetic(self) -> Arithmetic:
        """FLOPs to learn by."""
        return self.model.arithmetic() + Arithmetic(sequence=of_weights(self.probes.weight))


class States(nn.Module):
    """What the probes of a classifier read."""

    def __init__(self, model: SequenceClassifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> Tensor:
        """States [S, L, H]."""
        return states(cast("LayeredEncoder", self.model.encoder).layered(batch), batch)


def states(found: Layered, batch: Batch) -> Tensor:
    """What each probe reads of each sequence, [S, L, H]."""
    return torch.stack([_mean(found.embedded, batch), *found.firsts[:-1]], dim=1)


def _mean(x: Tensor, batch: Batch) -> Tensor:
    """The mean over the tokens of each sequence: [R, W, H] to [S, H].

    A product, since adding up by index has no fixed order on an accelerator.
    """
    rows, width = batch.ids.shape
    own = batch.segments.flatten().index_select(0, batch.first)  # [S]
    row = batch.first // width
    places = torch.arange(rows, device=x.device).repeat_interleave(width)
    mine = (places == row[:, None]) & (batch.segments.flatten() == own[:, None])  # [S, R * W]
    shares = mine / mine.sum(dim=1, keepdim=True)
    return shares.to(x.dtype) @ x.flatten(0, 1)
