"""What is told of each text: the app's prediction, its vector, and whether the text was cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch

from graft_worker.serve.engines import Answers, Floats
from graft_worker.serve.examples import Example
from graft_worker.serve.loading import Served


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of one text or pair of texts."""

    prediction: Any  # a label; a list of labels; a number
    scores: list[float]  # probabilities in the order of the labels; the number of a regression
    vector: Floats  # [H]
    tokens: int
    cut: bool


def results(served: Served, examples: Sequence[Example], answers: Answers) -> list[Result | None]:
    """Of a batch, in its order; None where the answer is no number."""
    told = served.app.predictions(torch.from_numpy(answers.logits))
    finite = np.isfinite(answers.logits).all(axis=1) & np.isfinite(answers.vectors).all(axis=1)
    numbers = cast("list[bool]", finite.tolist())
    rows = zip(examples, told, answers.vectors, numbers, strict=True)
    return [
        Result(
            prediction=each["predictions"],
            scores=each["probabilities"] or [each["predictions"]],
            vector=vector,
            tokens=len(example),
            cut=example.cut,
        )
        if is_number
        else None
        for example, each, vector, is_number in rows
    ]


def labelled(labels: Sequence[str], scores: Sequence[float]) -> Mapping[str, float]:
    """Probabilities by label."""
    return dict(zip(labels, scores, strict=True))
