"""Probes learn from a teacher that stays as it is, once for all who ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from graft_api.methods.probes import Probes as Method
from graft_worker.data.cache import Cache
from graft_worker.data.prepared import Problem
from graft_worker.data.shards import Shards
from graft_worker.distill.answers import Asked, Teacher
from graft_worker.distill.probing import ROWS, Lesson, even, probes, taught
from graft_worker.distill.shelf import Shelf
from graft_worker.distributed.process import Process
from tests.worker import small

TEXTS = ("the film was good", "dull", "the plot was not very good and slow", "very bad", "good")


def shards(rows: int) -> Shards:
    texts = [TEXTS[i % 5] + " the" * (i % 7) for i in range(rows)]
    told = [{"text": text, "label": small.LABELS["single_label"]["good" in text]} for text in texts]
    return Shards.in_memory(small.app().features(small.tokenizer(), 24)(small.rows(told)))


@dataclass
class Asking:
    """A real teacher that counts how often it is loaded."""

    module: nn.Module = field(default_factory=lambda: small.classifier(small.app()))
    loads: int = 0

    def load(self) -> nn.Module:
        self.loads += 1
        return self.module

    def lesson(self, rows: int = 40, **method: Any) -> Lesson:
        return Lesson(
            teacher=Teacher(digest="sha256:t", load=self.load),
            asked=Asked(name="rows", shards=shards(rows)),
            problem="single_label",
            outputs=2,
            method=Method(**method),
        )


def found(lesson: Lesson, root: Path) -> dict[str, bytes]:
    made = probes(lesson, process=Process(), shelf=Shelf(cache=Cache(root=root)))
    return {name: tensor.numpy().tobytes() for name, tensor in made.state_dict().items()}


def test_the_teacher_stays_as_it_is_and_is_asked_once(tmp_path: Path) -> None:
    told = Asking()
    before = {name: tensor.clone() for name, tensor in told.module.state_dict().items()}
    first = found(told.lesson(), tmp_path)
    assert all(torch.equal(told.module.state_dict()[name], t) for name, t in before.items())
    assert found(told.lesson(), tmp_path) == first
    assert told.loads == 1


def test_another_way_of_learning_makes_other_probes(tmp_path: Path) -> None:
    told = Asking()
    rates = [found(told.lesson(probe_learning_rate=rate), tmp_path) for rate in (5e-3, 1e-3)]
    assert rates[0] != rates[1]
    found(told.lesson(probe_epochs=1), tmp_path)
    assert len(list(tmp_path.glob("sha256-*"))) == told.loads == 3


def lesson(problem: Problem, outputs: int) -> Lesson:
    """Twenty epochs, for the rows are few."""
    shown = Asked(name="rows", shards=shards(1))
    teacher = Teacher(digest="sha256:t", load=nn.Identity)
    method = Method(probe_epochs=20, probe_learning_rate=0.05)
    return Lesson(teacher=teacher, asked=shown, problem=problem, outputs=outputs, method=method)


def made_up(problem: Problem) -> tuple[torch.Tensor, torch.Tensor]:
    """States [200, 3, 8], of which the first layer knows nothing of the targets."""
    draw = torch.Generator().manual_seed(1)
    states, hidden = (torch.randn(200, 3, 8, generator=draw) for _ in range(2))
    plain = hidden[:, 0, :2]
    states[:, 1, :2] = plain + 0.8 * states[:, 1, :2]
    states[:, 2, :2] = plain
    if problem == "single_label":
        return states, plain.argmax(dim=1)
    return states, (plain > 0).float() if problem == "multi_label" else plain.sum(dim=1)


@pytest.mark.parametrize(
    ("problem", "outputs"), [("single_label", 2), ("multi_label", 2), ("regression", 1)]
)
def test_the_more_a_layer_knows_the_better_its_probe(problem: Problem, outputs: int) -> None:
    states, targets = made_up(problem)
    answers = taught(states, targets, lesson(problem, outputs))(states).detach()
    told = small.app(problem=problem)
    metric, sign = (told.score.metric, 1) if problem != "regression" else ("mse", -1)
    if problem == "multi_label":  # the small app has three labels
        right = [float(((answers[:, i] > 0) == targets.bool()).float().mean()) for i in range(3)]
    else:
        right = [sign * told.metrics(answers[:, i], targets)[metric] for i in range(3)]
    assert right == sorted(right)
    assert right[2] > right[0] + 0.2


def test_a_probe_learns_as_if_it_were_alone() -> None:
    states, targets = made_up("single_label")
    together = taught(states, targets, lesson("single_label", 2))
    for layer in range(3):
        alone = taught(states[:, layer : layer + 1], targets, lesson("single_label", 2))
        torch.testing.assert_close(alone.weight[0], together.weight[layer], atol=1e-4, rtol=0)


def test_many_rows_are_thinned_evenly() -> None:
    assert even(3).tolist() == [0, 1, 2]
    chosen = even(4 * ROWS)
    assert np.array_equal(chosen, np.arange(ROWS) * 4)
