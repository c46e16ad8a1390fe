"""Loss and predictions of one answer per sequence, for each kind of problem.

S sequences, C outputs (1 for regression). Logits [S, C].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graft_worker.apps.app import Score
from graft_worker.data.prepared import Problem

if TYPE_CHECKING:
    from torch import Tensor

_SCORES: Mapping[Problem, Score] = {
    "single_label": Score(metric="accuracy", mode="max"),
    "multi_label": Score(metric="micro_f1", mode="max"),
    "regression": Score(metric="mse", mode="min"),
}


def score(problem: Problem) -> Score:
    """The metric that chooses the best checkpoint where the job names none (algorithms.md G2)."""
    return _SCORES[problem]


def outputs(problem: Problem, labels: tuple[str, ...]) -> int:
    """How many logits a sequence has."""
    return 1 if problem == "regression" else len(labels)


def loss_sum(logits: Tensor, target: Tensor, *, problem: Problem) -> Tensor:
    """The sum over sequences in fp32 (algorithms.md B2).

    Cross entropy of the softmax; or, for several labels, the mean over labels of the cross entropy
    of the sigmoids; or the squared error. Targets as in `targets.py`.
    """
    from torch.nn import functional as F  # noqa: N812  (its name everywhere)

    logits = logits.float()
    if problem == "single_label":
        return F.cross_entropy(logits, target.long(), reduction="sum")
    if problem == "multi_label":
        each = F.binary_cross_entropy_with_logits(logits, target.float(), reduction="none")
        return each.mean(dim=1).sum()
    return F.mse_loss(logits.squeeze(1), target.float(), reduction="sum")


def predictions(
    logits: Tensor, *, problem: Problem, labels: tuple[str, ...]
) -> Sequence[Mapping[str, Any]]:
    """EasyTransfer's columns for each sequence: predictions, probabilities and logits.

    The prediction is the likeliest label; or all labels with a sigmoid over one half; or the
    number, which has no probabilities. Lists are in the order of the labels.
    """
    logits = logits.float().cpu()
    if problem == "regression":
        return [
            {"predictions": row[0], "probabilities": [], "logits": row} for row in logits.tolist()
        ]
    many = problem == "multi_label"
    probabilities = logits.sigmoid() if many else logits.softmax(dim=1)
    chosen: list[Any] = (
        [[labels[i] for i, yes in enumerate(row) if yes] for row in (logits > 0).tolist()]
        if many
        else [labels[i] for i in logits.argmax(dim=1).tolist()]
    )
    rows = zip(chosen, probabilities.tolist(), logits.tolist(), strict=True)
    return [{"predictions": c, "probabilities": p, "logits": row} for c, p, row in rows]
