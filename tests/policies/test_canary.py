"""Pods that make a share, and requests that are enough to judge by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from graft_operator.policies.canary import Rules, Step, carriers, pods, share


@pytest.mark.parametrize("stable", range(1, 60))
def test_no_other_number_of_pods_comes_nearer(stable):
    for weight in range(1, 101):
        apart = {c: abs(c / (c + stable) - weight / 100) for c in range(1, stable + 1)}
        assert apart[pods(weight, stable)] == min(apart.values()), weight


def test_no_pods_have_no_canary():
    assert (pods(10, 0), share(0, 0)) == (0, 0)
    assert (pods(10, 9), share(1, 9)) == (1, 10)


@pytest.mark.parametrize(
    ("weight", "stable", "needed"),
    [(1, 4, 1), (20, 4, 1), (26, 4, 2), (90, 4, 4), (100, 3, 3), (50, 0, 0)],
)
def test_by_a_route_a_canary_has_the_pods_that_carry_its_share(weight, stable, needed):
    assert carriers(weight, stable) == needed
    step = Step(weight=weight, hold=timedelta(minutes=1))
    assert Rules(steps=(step,), routed=True).pods(1, stable) == needed
    assert Rules(steps=(step,)).pods(1, stable) == pods(weight, stable)


@pytest.mark.parametrize(
    ("rules", "enough"),
    [
        (Rules(), 100),
        (Rules(error_rate=0.05), 20),
        (Rules(error_rate=0.5), 20),
        (Rules(error_rate=0.05, p99=0.2), 100),
        (Rules(error_rate=0.0001), 1000),
        (Rules(error_rate=0.0), 1000),
    ],
)
def test_so_many_requests_are_enough(rules, enough):
    assert rules.enough == enough
