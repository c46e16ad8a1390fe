"""Target values of rows as the column that a loss reads; runs without torch.

N rows, C labels. int32 [N] label numbers, uint8 [N, C] of zeros and ones, or float32 [N] values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graft_worker.apps.params import Wanted
from graft_worker.apps.text_features import TargetColumn
from graft_worker.data.blocks import Array
from graft_worker.data.prepared import Problem
from graft_worker.data.rows import Role

_LABEL = ("label", "labels", "class", "category", "target", "score")
_NUMBER = ("score", "label", "target", "rating", "stars", "value")


def label_role(problem: Wanted) -> Role:
    """The column of targets; for regression a column of scores is looked for first."""
    names = _NUMBER if problem == "regression" else _LABEL
    return Role(name="label", kind="target", names=names)


def target_column(problem: Problem, labels: tuple[str, ...]) -> TargetColumn:
    """A function from the values of a role, as `data.targets.value_of` gives them, to the column.

    It gives None where no row has a value, as in prediction. A label that is not among `labels`
    is a KeyError: `data.inspect` refuses such data with the places.
    """
    number = {label: place for place, label in enumerate(labels)}

    def single(values: Sequence[Any]) -> Array:
        return np.array([number[value] for value in values], np.int32)

    def multi(values: Sequence[Any]) -> Array:
        column = np.zeros((len(values), len(labels)), np.uint8)
        for row, names in enumerate(values):
            column[row, [number[name] for name in names]] = 1
        return column

    def regression(values: Sequence[Any]) -> Array:
        return np.array(values, np.float32)

    made = {"single_label": single, "multi_label": multi, "regression": regression}[problem]
    return lambda values: made(values) if any(value is not None for value in values) else None
