"""Roll-outs are counted once, when their end is written."""

from __future__ import annotations

import pytest

from graft_operator.metrics import REGISTRY
from graft_operator.shell import counting
from tests.sync.rollouts import World, asks, good, served

NAME = "graft_rollouts_total"


def counted(result: str, reason: str) -> float:
    labels = {"result": result, "reason": reason}
    return REGISTRY.get_sample_value(NAME, labels) or 0.0


@pytest.mark.parametrize(
    ("failed", "end", "label"),
    [
        (0, "Stable", ("RolledOut", "Answers")),
        (50, "Degraded", ("RolledBack", "ErrorRate")),
    ],
)
def test_a_rollout_is_counted_once(failed: int, end: str, label: tuple[str, str]):
    world = asks(served())
    world.answers = good(100, failed=failed)
    before, told = counted(*label), [world.subject]

    def count(now: World) -> None:
        if now.status != told[-1].status:
            counting.count(told[-1], now.status)
            told.append(now.subject)

    world.watch = count
    world.tick()
    world.until(end)
    world.rest()
    assert counted(*label) == before + 1
