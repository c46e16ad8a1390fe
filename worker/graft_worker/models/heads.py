"""Heads over an encoder: what an app adds to it.

Shapes: S sequences, H hidden, C outputs.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from graft_api.errors import ConfigError
from graft_worker.data.batch import Batch
from graft_worker.models.arithmetic import Arithmetic, of_weights
from graft_worker.models.bert import initialise, linear
from graft_worker.models.dropout import KeyedDropout
from graft_worker.models.encoder import TextEncoder
from graft_worker.models.weights import read_weights

SITE = 1 << 20  # above the sites of any encoder


class SequenceClassifier(nn.Module):
    """dense(dropout(pooled)): C logits for each sequence, from initial weights of `seed`."""

    encoder: TextEncoder

    def __init__(self, encoder: TextEncoder, *, outputs: int, dropout: float, seed: int) -> None:
        super().__init__()
        width = encoder.config.hidden
        self.encoder = encoder
        self.dropout = KeyedDropout(site=SITE, width=width, rate=dropout)
        self.classifier = linear(width, outputs)
        initialise(self.classifier, seed=seed)

    def forward(self, batch: Batch) -> Tensor:
        """Logits [S, C], in the order of `batch.first`."""
        return self.of(self.encoder.summary(batch), batch)

    def of(self, pooled: Tensor, batch: Batch) -> Tensor:
        """Logits [S, C] of what the encoder gave for the batch, [S, H]."""
        keys = batch.keys.flatten().index_select(0, batch.first)
        return cast("Tensor", self.classifier(self.dropout(pooled, keys)))

    def depth_of(self, parameter: str) -> int:
        """As `TextEncoder.depth_of`, for names from this module on; the head is the top."""
        part, _, rest = parameter.partition(".")
        return self.encoder.depth_of(rest) if part == "encoder" else self.encoder.config.layers + 1

    def arithmetic(self) -> Arithmetic:
        """FLOPs to learn by."""
        return self.encoder.arithmetic() + Arithmetic(sequence=of_weights(self.classifier.weight))

    def hugging_face_state(self) -> dict[str, Tensor]:
        """All weights under the names of BertForSequenceClassification, or its like."""
        head = {f"classifier.{name}": t for name, t in self.classifier.state_dict().items()}
        return self.encoder.hugging_face_state() | {k: t.detach().clone() for k, t in head.items()}

    def restore_head(self, folder: Path) -> None:
        """Takes the head's weights from an artefact's folder.

        Raises:
            ConfigError: there is no such head, or it has another number of outputs.
        """
        state, wanted = read_weights(folder), self.classifier.state_dict()
        for name, tensor in wanted.items():
            found = state.get(f"classifier.{name}")
            if found is None or found.shape != tensor.shape:
                shown = "missing" if found is None else f"of shape {list(found.shape)}"
                raise ConfigError(
                    f"{folder}: classifier.{name} is {shown}, expected {list(tensor.shape)}",
                    hint="use the artefact of a classification or matching job",
                )
            with torch.no_grad():
                tensor.copy_(found)
