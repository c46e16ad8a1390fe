"""What an app is: features, model, loss, metrics, predictions, and nothing else.

Nothing here imports torch while it runs: the prepare stage asks an app for its features alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from graft_worker.data.blocks import Encode
from graft_worker.data.prepared import Problem
from graft_worker.data.rows import Role

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor, nn

    from graft_worker.data.batch import Batch
    from graft_worker.models.encoder import TextEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The metric that chooses the best checkpoint unless the job names another."""

    metric: str
    mode: Literal["max", "min"]


class App(Protocol):
    """One task of the AppZoo. Built by `graft_worker.apps.registry.build`."""

    @property
    def name(self) -> str:
        """Its name in `spec.app.name`."""
        ...

    @property
    def problem(self) -> Problem:
        """What its outputs mean."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the outputs, in their order; () for regression."""
        ...

    @property
    def score(self) -> Score:
        """The metric that chooses the best checkpoint unless the job names another."""
        ...

    @property
    def dropout(self) -> float:
        """The dropout before the head that the job's `app.params` ask for."""
        ...

    def roles(self) -> tuple[Role, ...]:
        """The columns that the app reads."""
        ...

    def features(self, tokenizer: Tokenizer, max_length: int) -> Encode:
        """A function from rows (values keyed by role) to encoded examples."""
        ...

    def model(self, encoder: TextEncoder, dropout: float, *, seed: int = 0) -> nn.Module:
        """The network: `module(batch)` gives logits [S, C]. Its encoder is `module.encoder`.

        `seed` draws the head's first weights; they depend on nothing else.
        """
        ...

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The sum over the batch's sequences in fp32; the loop divides by the global number."""
        ...

    def metrics(self, logits: Tensor, targets: Tensor) -> Mapping[str, float]:
        """Metrics of a whole split, logits [N, C] and targets [N] or [N, C] on the CPU."""
        ...

    def predictions(self, logits: Tensor) -> Sequence[Mapping[str, Any]]:
        """One mapping per sequence with predictions, probabilities and logits."""
        ...
