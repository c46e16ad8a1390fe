"""Metrics of a whole split: from logits and targets on the CPU to numbers by name.

N rows, C outputs. Logits [N, C]; targets [N] of label numbers or values, or [N, C] of 0 and 1.
The formulas are torchmetrics', on float64. Defined here is what they leave open:

- `auc` where a label has no row, or every row, has no ranking: the label is left out of the mean;
  with no label left the value is 0.5, that of a model that ranks nothing.
- `pearson` and `spearman` where one side is constant, or of a single row, are 0.0.
- `macro_f1` is the mean over labels; one that occurs neither among the targets nor among the
  predictions is left out for single-label data and counts 0.0 for multi-label data.
- `accuracy` of multi-label data counts a row when all its labels are right.

torchmetrics is imported by the functions that use it:
where scipy and transformers are installed too, it loads both, which takes seconds.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from graft_api.errors import ConfigError, DataError, GraftError
from graft_worker.data.prepared import Problem

if TYPE_CHECKING:
    from torch import Tensor

Mode = Literal["max", "min"]

_MODES: Mapping[str, Mode] = MappingProxyType(
    {
        "accuracy": "max",
        "micro_f1": "max",
        "macro_f1": "max",
        "auc": "max",
        "mse": "min",
        "mae": "min",
        "pearson": "max",
        "spearman": "max",
    }
)
_OF_CLASSES = ("accuracy", "micro_f1", "macro_f1", "auc")
_NAMES: Mapping[Problem, tuple[str, ...]] = MappingProxyType(
    {
        "single_label": _OF_CLASSES,
        "multi_label": _OF_CLASSES,
        "regression": ("mse", "mae", "pearson", "spearman"),
    }
)


def modes() -> Mapping[str, Mode]:
    """Every metric by name, and whether more (`max`) or less (`min`) of it is better."""
    return _MODES


def names(problem: Problem) -> tuple[str, ...]:
    """The metrics that a problem gives, in the order of reports."""
    return _NAMES[problem]


def canonical(name: str, problem: Problem) -> str:
    """The metric's name in reports; EasyTransfer's `py_accuracy`, `py_micro_f1`, ... are aliases.

    Raises:
        ConfigError: the problem gives no such metric.
    """
    plain = name.removeprefix("py_")
    if plain in names(problem):
        return plain
    near = difflib.get_close_matches(plain, names(problem), n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ConfigError(
        f"spec.training.evaluate.metric: {name}: not a metric of {problem} data",
        hint=f"{hint}these are: {', '.join(names(problem))}",
    )


def measure(logits: Tensor, targets: Tensor, *, problem: Problem) -> dict[str, float]:
    """The metrics of the problem, by name.

    Raises:
        DataError: there is no row.
        GraftError: a logit is not a finite number.
    """
    kinds = {
        "single_label": classification,
        "multi_label": multi_label,
        "regression": regression,
    }
    return kinds[problem](logits, targets)


def classification(logits: Tensor, targets: Tensor) -> dict[str, float]:
    """The accuracy, micro_f1, macro_f1 and auc of one label out of C; targets [N] are its number.

    `auc` is that of the second label for two labels, else the mean over labels of one against the
    rest. Raises as `measure` does.
    """
    from torchmetrics.functional import classification as tm

    scores, targets = _checked(logits).softmax(dim=1), targets.long()
    found, classes = logits.argmax(dim=1), logits.shape[1]
    if classes == 1:  # torchmetrics asks for two; a single one is always right
        return {"accuracy": 1.0, "micro_f1": 1.0, "macro_f1": 1.0, "auc": 0.5}
    asked = range(1 if classes == 2 else 0, classes)
    return {
        "accuracy": float(tm.multiclass_accuracy(found, targets, classes, average="micro")),
        "micro_f1": float(tm.multiclass_f1_score(found, targets, classes, average="micro")),
        "macro_f1": float(tm.multiclass_f1_score(found, targets, classes, average="macro")),
        "auc": _mean_auc((scores[:, label], targets == label) for label in asked),
    }


def multi_label(logits: Tensor, targets: Tensor) -> dict[str, float]:
    """The accuracy (all labels of a row right), micro_f1, macro_f1 and auc (mean over labels).

    A label is predicted where its sigmoid is over one half. Targets [N, C] are zeros and ones.
    Raises as `measure` does.
    """
    logits = _checked(logits)
    found, wanted = (logits > 0).long(), targets.long()
    right = (found == wanted).all(dim=1)
    return {
        "accuracy": float(right.double().mean()),
        "micro_f1": _f1(found, wanted, "micro"),
        "macro_f1": _f1(found, wanted, "macro"),
        "auc": _mean_auc(zip(logits.T, wanted.T, strict=True)),
    }


def regression(logits: Tensor, targets: Tensor) -> dict[str, float]:
    """The mse, mae, pearson and spearman of numbers; logits [N, 1], targets [N].

    Raises as `measure` does.
    """
    from torchmetrics import functional as tm

    found, wanted = _checked(logits).reshape(-1), targets.double().reshape(-1)
    left, right = _standard(found), _standard(wanted)
    related = bool(left.any()) and bool(right.any())
    return {
        "mse": float(tm.mean_squared_error(found, wanted)),
        "mae": float(tm.mean_absolute_error(found, wanted)),
        "pearson": float(tm.pearson_corrcoef(left, right)) if related else 0.0,
        "spearman": float(tm.spearman_corrcoef(left, right)) if related else 0.0,
    }


def _checked(logits: Tensor) -> Tensor:
    rows = len(logits)
    if rows == 0:
        raise DataError("evaluation: the split has no row", hint="give it at least one")
    broken = rows - int(logits.isfinite().flatten(1).all(dim=1).sum())
    if broken:
        raise GraftError(
            f"evaluation: {broken} of {rows} rows have logits that are not finite numbers",
            hint="training has diverged: lower spec.training.optimizer.learningRate, "
            "or set spec.training.precision: fp32",
        )
    return logits.double()


def _f1(found: Tensor, wanted: Tensor, average: Literal["micro", "macro"]) -> float:
    from torchmetrics.functional import classification as tm

    labels = found.shape[1]
    if labels == 1:  # torchmetrics asks for two; of one label both means are its own score
        return float(tm.binary_f1_score(found, wanted))
    return float(tm.multilabel_f1_score(found, wanted, labels, average=average))


def _mean_auc(asked: Iterable[tuple[Tensor, Tensor]]) -> float:
    """The mean over labels of (scores [N], whether the row has the label [N]); 0.5 without any."""
    from torchmetrics.functional.classification import binary_auroc

    found = [
        float(binary_auroc(_ranks(scores), wanted.long()))
        for scores, wanted in asked
        if bool(wanted.any()) and not bool(wanted.all())
    ]
    return sum(found) / len(found) if found else 0.5


def _ranks(scores: Tensor) -> Tensor:
    """Places of the scores among each other, in [0, 1]: others torchmetrics squashes into ties."""
    import torch

    places = torch.unique(scores, return_inverse=True)[1].double()
    ranks: Tensor = places / places.max().clamp(min=1.0)
    return ranks


def _standard(values: Tensor) -> Tensor:
    """Centred, and scaled to 1: correlation is blind to both, torchmetrics' warning is not."""
    centred = values - values.mean()
    constant = bool((values == values[0]).all())
    return centred * 0.0 if constant else centred / centred.abs().max()
