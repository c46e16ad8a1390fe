"""A canary while the spec changes, pods are scaled, and the operator dies."""

from __future__ import annotations

import pytest

from tests.sync.rollouts import CANARY, NEW, NEWER, OLD, STABLE, asks, good, reasons, served


@pytest.mark.parametrize("state", ["Preparing", "Step", "Promote", "RollingBack"])
def test_a_new_spec_begins_anew_and_keeps_what_is_stable(state):
    world = asks(served())
    if state == "RollingBack":
        world.until("Step")
        world.answers = good(100, failed=50)
        world.tick()
        world.answers = good()
    else:
        world.until(state)
    world.change(model={"from": {"uri": NEWER}})
    world.tick()
    assert (world.state, world.status["rollout"]["step"]) == ("Preparing", 1)
    assert world.status["rollout"]["uri"] == NEWER
    assert (world.model(), world.model(CANARY), world.size()) == (OLD, NEWER, 1)
    world.until("Stable")
    assert world.status["model"]["uri"] == NEWER


def test_the_old_spec_again_ends_it():
    world = asks(served())
    world.until("Step")
    world.change(model={"from": {"uri": OLD}})
    world.tick()
    world.rest()
    assert (world.state, world.model(), CANARY in world.bodies) == ("Stable", OLD, False)


def test_without_steps_it_takes_over_at_once():
    world = asks(served())
    world.until("Step")
    world.change(rollout={"strategy": "replace"})
    world.until("Stable")
    world.rest()
    assert (world.model(), CANARY in world.bodies) == (NEW, False)
    assert world.condition("CanaryHealthy")[:2] == ("True", "NoCanary")


def test_a_pause_keeps_the_step_and_not_an_unfit_model():
    world = asks(served())
    world.until("Step")
    world.change(rollout=world.spec["rollout"] | {"paused": True})
    world.seconds += 10_000
    world.tick()
    assert (world.state, world.status["rollout"]["step"], world.size()) == ("Paused", 1, 1)
    assert world.condition("Progressing")[1] == "CanaryPaused"
    world.change(rollout=world.spec["rollout"] | {"paused": False})
    world.tick()
    assert world.status["rollout"]["step"] == 2
    world.until("Step")
    world.change(rollout=world.spec["rollout"] | {"paused": True})
    world.until("Paused")
    world.answers = good(100, failed=50)
    world.until("Degraded")


def test_more_stable_pods_keep_the_share():
    world = asks(served())
    world.until("Step")
    world.change(replicas=8)
    world.tick()
    world.tick()
    assert (world.size(STABLE), world.size()) == (8, 2)
    world.until("Stable")


def test_the_autoscaler_takes_no_stable_pod_away_while_a_canary_runs():
    scaling = {"min": 2, "max": 6, "target": {"cpu": 70}}
    world = asks(served(autoscaling=scaling))
    policy = lambda: world.bodies["HorizontalPodAutoscaler"]["spec"]["behavior"]  # noqa: E731
    world.until("Step")
    assert policy() == {"scaleDown": {"selectPolicy": "Disabled"}}
    assert "replicas" not in world.bodies[STABLE]["spec"]
    target = world.bodies["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"]
    assert target == "reviews-serve"
    world.until("Stable")
    world.rest()
    assert policy() == {"scaleDown": {"selectPolicy": "Max"}}


def test_both_stand_behind_one_service_and_neither_claims_the_pods_of_the_other():
    world = asks(served())
    world.until("Step")
    service = world.bodies["Service"]["spec"]["selector"]
    stable, tried = (world.bodies[name]["spec"] for name in (STABLE, CANARY))
    for spec in (stable, tried):
        assert service.items() <= spec["template"]["metadata"]["labels"].items()
        labels = spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
    other = tried["template"]["metadata"]["labels"].items()
    assert not stable["selector"]["matchLabels"].items() <= other
    assert world.bodies[CANARY]["metadata"]["name"] == "reviews-canary"


def test_pods_scaled_to_none_wait_with_the_canary():
    world = asks(served())
    world.until("Step")
    world.change(replicas=0)
    world.seconds += 10_000
    world.tick()
    world.tick()
    assert (world.state, world.size(STABLE), world.size()) == ("Step", 0, 0)
    world.change(replicas=4)
    world.until("Stable")


def stable_is_there(world):
    """The rule that no crash may break: its pods go only while the canary's model takes over."""
    promoted = world.status["model"]["uri"] != OLD or world.state in ("Promote", "RollingBack")
    assert world.model() == OLD or promoted, world.told


def told_in_order(world):
    stable_is_there(world)
    if CANARY in world.bodies and world.state in ("Preparing", "Step"):
        assert world.size() in (1, 4), world.told


def rolled_out(dies):
    world = asks(served())
    world.dies, world.watch = dies, told_in_order
    world.until("Stable", seconds=1000) if world.state != "Stable" else None
    for _ in range(100):
        world.tick()
    world.rest()
    return world


def taken_back(dies):
    world = asks(served())
    world.dies, world.watch = dies, stable_is_there
    world.answers = good(10, failed=5)
    world.tick()
    world.until("Degraded", seconds=1000)
    world.rest()
    return world


@pytest.mark.parametrize("story", [rolled_out, taken_back])
def test_an_operator_that_dies_before_any_write_is_followed_by_one_that_goes_on(story):
    whole = story(None)
    assert whole.writes > 6
    for number in range(whole.writes):
        world = story(number)
        assert world.dies is None, number
        assert world.bodies == whole.bodies, number
        assert world.state == whole.state
        assert world.status["model"] == whole.status["model"]
        assert reasons(world)[-1] == reasons(whole)[-1]
