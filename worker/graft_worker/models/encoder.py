"""What every text encoder offers to heads and to the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor, nn

from graft_worker.data.batch import Batch
from graft_worker.models.arithmetic import Arithmetic


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """Sizes of an encoder in words of ours; `raw` keeps the Hugging Face config as it came."""

    architecture: str  # bert, or the model_type of any other
    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    max_positions: int
    type_vocabulary: int = 2
    dropout: float = 0.1
    layer_norm_eps: float = 1e-12
    activation: str = "gelu"
    padding_id: int = 0
    embedding: int | None = None  # width of the embeddings; none: that of the hidden states
    groups: int | None = None  # sets of weights that layers share; none: each has its own
    inner: int = 1  # different layers of a set
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def first_position(self) -> int:
        """The number of the first position: RoBERTa counts from behind the id of its padding."""
        return self.padding_id + 1 if self.architecture == "roberta" else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layered:
    """What an encoder knows of a batch after each of its layers."""

    embedded: Tensor  # [R, W, H], before the first layer
    firsts: tuple[Tensor, ...]  # [S, H] of each layer: the first tokens, in order of `batch.first`
    summary: Tensor  # [S, H]


class TextEncoder(Protocol):
    """An nn.Module that reads a Batch."""

    config: EncoderConfig
    packs: bool  # whether rows may hold several segments

    def summary(self, batch: Batch) -> Tensor:
        """One vector [S, H] per sequence, in the order of `batch.first`."""
        ...

    def depth_of(self, parameter: str) -> int:
        """Depth of a parameter by its name: 0 embeddings, 1..layers the layers, layers + 1 above.

        Used by layer freezing and layer-wise decay.
        """
        ...

    def blocks(self) -> nn.ModuleList:
        """The repeated layers, the units of compilation."""
        ...

    def units(self) -> nn.ModuleList:
        """What is sharded apart from the rest: parts that a pass goes through once.

        A part that is used several times would be gathered and dropped as often.
        """
        ...

    def arithmetic(self) -> Arithmetic:
        """FLOPs to learn by `summary`."""
        ...

    def hugging_face_state(self) -> dict[str, Tensor]:
        """Weights under the names of the Hugging Face model, with the family's prefix (`bert.`)."""
        ...


class LayeredEncoder(TextEncoder, Protocol):
    """An encoder with layers one above the other."""

    def layered(self, batch: Batch) -> Layered:
        """What it knows after each layer; the summary is that of `summary`."""
        ...
