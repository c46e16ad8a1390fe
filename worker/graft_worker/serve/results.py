"""What is told of each text: the app's prediction, its vector, and whether the text was cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from graft_worker.serve.engines import Floats
from graft_worker.serve.examples import Example
from graft_worker.serve.loading import Served
from graft_worker.serve.tickets import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of one text or pair of texts."""

    prediction: Any  # a label; a list of labels; a number
    scores: list[float]  # probabilities in the order of the labels; the number of a regression
    vector: Floats  # [H]
    tokens: int
    cut: bool


def results(served: Served, examples: Sequence[Example], answers: Sequence[Answer]) -> list[Result]:
    """One for each example, in their order."""
    logits = torch.from_numpy(np.stack([answer.logits for answer in answers]))
    told = served.app.predictions(logits)
    return [
        Result(
            prediction=each["predictions"],
            scores=each["probabilities"] or [each["predictions"]],
            vector=answer.vector,
            tokens=len(example),
            cut=example.cut,
        )
        for example, answer, each in zip(examples, answers, told, strict=True)
    ]


def labelled(labels: Sequence[str], scores: Sequence[float]) -> Mapping[str, float]:
    """Probabilities by label."""
    return dict(zip(labels, scores, strict=True))
