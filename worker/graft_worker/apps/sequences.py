"""The app that gives one answer per text or pair of texts; text_classify and text_match are it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graft_worker.apps import problems
from graft_worker.apps.app import Score
from graft_worker.apps.targets import target_column
from graft_worker.apps.text_features import text_features
from graft_worker.data.blocks import Encode
from graft_worker.data.prepared import Problem
from graft_worker.data.rows import Role

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor, nn

    from graft_worker.data.batch import Batch
    from graft_worker.models.encoder import TextEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceApp:
    """An App (see `app.py`): encoder, pooled vector, dropout, one dense layer."""

    name: str
    problem: Problem
    labels: tuple[str, ...]
    columns: tuple[Role, ...]
    dropout: float = 0.1

    @property
    def score(self) -> Score:
        """The metric that chooses the best checkpoint unless the job names another."""
        return problems.score(self.problem)

    def roles(self) -> tuple[Role, ...]:
        """The columns that the app reads."""
        return self.columns

    def features(self, tokenizer: Tokenizer, max_length: int) -> Encode:
        """A function from rows to token ids, token types and, where rows have one, the target."""
        return text_features(
            tokenizer,
            texts=tuple(role for role in self.columns if role.kind == "text"),
            target=target_column(self.problem, self.labels),
            max_length=max_length,
        )

    def model(self, encoder: TextEncoder, dropout: float, *, seed: int = 0) -> nn.Module:
        """The classifier: `module(batch)` gives logits [S, C]; `module.encoder` is the encoder."""
        from graft_worker.models.heads import SequenceClassifier

        outputs = problems.outputs(self.problem, self.labels)
        return SequenceClassifier(encoder, outputs=outputs, dropout=dropout, seed=seed)

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The sum over the batch's sequences in fp32."""
        return problems.loss_sum(logits, batch.targets["target"], problem=self.problem)

    def metrics(self, logits: Tensor, targets: Tensor) -> Mapping[str, float]:
        """Metrics of a whole split, logits [N, C] and targets [N] or [N, C] on the CPU."""
        from graft_worker.evaluate.metrics import measure

        return measure(logits, targets, problem=self.problem)

    def predictions(self, logits: Tensor) -> Sequence[Mapping[str, Any]]:
        """One mapping per sequence with predictions, probabilities and logits."""
        return problems.predictions(logits, problem=self.problem, labels=self.labels)
