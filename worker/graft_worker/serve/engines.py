"""What computes: examples in, logits and vectors out.

N examples, C outputs, H hidden, K tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray

from graft_worker.data import batches
from graft_worker.data.batch import Batch
from graft_worker.data.shards import Shards
from graft_worker.models.heads import SequenceClassifier
from graft_worker.run.inference import Model
from graft_worker.serve.examples import Example, block

Floats = NDArray[np.float32]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Of a batch, in its order."""

    logits: Floats  # [N, C]
    vectors: Floats  # [N, H]: what the head reads


class Engine(Protocol):
    """Computes one batch at a time, from one thread."""

    @property
    def name(self) -> str:
        """As in `spec.runtime.name`."""
        ...

    @property
    def dtype(self) -> str:
        """fp32, bf16 or int8."""
        ...

    def compute(self, examples: Sequence[Example]) -> Answers:
        """The answers to a batch; padding changes them by rounding alone."""
        ...


class TorchEngine:
    """The model's own network. A number format other than fp32 takes a copy of the weights."""

    name = "torch"

    def __init__(self, model: Model, *, dtype: str = "fp32") -> None:
        module = cast("SequenceClassifier", model.module)
        self.dtype = dtype
        self._device = model.device
        self._module = module if dtype == "fp32" else deepcopy(module).to(DTYPES[dtype])

    def compute(self, examples: Sequence[Example]) -> Answers:
        """The answers to a batch; padding changes them by rounding alone."""
        batch = _padded(examples).to(self._device)
        with torch.inference_mode():
            vectors = self._module.encoder.summary(batch)
            logits = self._module.classifier(vectors)
        return Answers(logits=logits.float().cpu().numpy(), vectors=vectors.float().cpu().numpy())


class GraphEngine:
    """The ONNX graph of an exported artefact. In int8, answers depend a little on the batch."""

    name = "onnxruntime"

    def __init__(self, file: Path, *, dtype: str, threads: int) -> None:
        from graft_worker.models.graphs import Graph

        self.dtype = dtype
        self._graph = Graph(file, threads=threads)

    def compute(self, examples: Sequence[Example]) -> Answers:
        """The answers to a batch."""
        logits, vectors = self._graph.both(_padded(examples))
        return Answers(logits=logits, vectors=vectors)


def _padded(examples: Sequence[Example]) -> Batch:
    shards = Shards.in_memory(block(examples))
    return batches.collate(shards, np.arange(len(examples)), keys=None, width=0, packing=False)
