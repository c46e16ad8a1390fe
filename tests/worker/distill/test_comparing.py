"""Size and speed of two real models; the clock is the test's."""

from __future__ import annotations

import torch

from graft_worker.data.shards import Shards
from graft_worker.distill.comparing import ROUNDS, Reader, size_ratio, speed_ratio
from tests.worker import small


def shards() -> Shards:
    encode = small.app().features(small.tokenizer(), 12)
    return Shards.in_memory(encode(small.rows([{"text": "good"}, {"text": "very bad film"}])))


def test_the_size_ratio_counts_every_parameter() -> None:
    large, little = torch.nn.Linear(10, 9), torch.nn.Linear(10, 2)
    assert size_ratio(large, little) == 99 / 22


def test_the_speed_ratio_is_that_of_the_best_rounds() -> None:
    teacher, student = (small.classifier(small.app(), seed=seed) for seed in (1, 2))
    asked: list[str] = []
    for name, module in (("teacher", teacher), ("student", student)):
        module.register_forward_hook(lambda *_, name=name: asked.append(name))
    slow, fast = [9.0, 6.0, 8.0], [3.0, 4.0, 1.5]
    moments = [m for pair in zip(slow, fast, strict=True) for took in pair for m in (0.0, took)]
    ratio = speed_ratio(
        Reader(module=teacher, shards=shards()),
        Reader(module=student, shards=shards()),
        device=torch.device("cpu"),
        clock=iter(moments).__next__,
    )
    assert ratio == 6.0 / 1.5
    assert asked == ["teacher", "student"] * (1 + ROUNDS)
