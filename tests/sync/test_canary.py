"""A canary by steps: who gets which share, when it goes on, back, and what a crash changes."""

from __future__ import annotations

import pytest

from graft_operator.observed import Deployed
from tests.sync.rollouts import CANARY, NEW, OLD, STABLE, World, asks, good, reasons, serve, served


def states(world, *, end="Stable"):
    """The states that were written, each once, with the pods and the model of either side."""
    seen = []

    def note(now):
        place = (now.state, now.size(), now.model())
        if not seen or seen[-1] != place:
            seen.append(place)

    world.watch = note
    world.tick()
    world.until(end)
    world.rest()
    return seen


def test_the_first_model_takes_over_at_once():
    world = World(spec=serve())
    world.until("Stable")
    assert CANARY not in world.bodies
    assert world.condition("CanaryHealthy")[:2] == ("True", "NoCanary")
    assert "traffic" not in world.status


def test_a_healthy_model_goes_through_the_steps_and_takes_over():
    world = asks(served())
    seen = states(world)
    assert [place for place, *_ in seen if place != "Stable"] == [
        "Preparing",  # written
        "Preparing",  # and done
        "Step",
        "Preparing",
        "Preparing",
        "Step",
        "Promote",
        "Promote",
    ]
    assert ("Step", 1, OLD) in seen  # one of five pods: 20 %
    assert ("Step", 4, OLD) in seen  # four of eight: 50 %
    assert ("Promote", 4, NEW) in seen
    assert seen[-1] == ("Stable", None, NEW)
    assert world.status["model"]["uri"] == NEW
    assert reasons(world) == ["RollingOut", "CanaryStep", "CanaryStep", "RolledOut"]
    assert world.condition("Ready")[:2] == ("True", "AsPlanned")


def test_each_step_is_held_for_its_time():
    world = asks(served())
    world.until("Step")
    began = world.seconds
    world.until("Preparing")
    assert 20 <= world.seconds - began <= 24
    world.until("Step")
    began = world.seconds
    world.until("Promote")
    assert 30 <= world.seconds - began <= 34


def test_a_look_writes_one_thing():
    world = asks(served())
    states(world)
    acting = [words for words in world.looks if words != ("status",)]
    assert acting == [
        ("create Canary",),
        ("patch Canary",),
        ("patch Deployment",),
        ("delete Canary",),
    ]


def test_the_status_tells_the_split_in_effect_and_the_column_shows_it():
    world = asks(served())
    world.until("Step")
    assert world.status["traffic"] == {"stable": 80, "canary": 20}
    assert world.status["display"]["canary"] == "20%"
    assert world.status["rollout"]["step"] == 1
    assert world.condition("Progressing") == (
        "True",
        "CanaryStep",
        "step 1 of 2: 20 %, 1 of 5 pods",
    )
    world.until("Promote")
    world.counts[STABLE] = Deployed(wanted=4, replicas=5, updated=2, ready=4, available=4)
    world.unready = (STABLE,)
    world.tick()
    assert world.status["traffic"] == {"stable": 38, "canary": 62}  # four, and one of the two
    world.unready = ()
    world.until("Stable")
    assert "traffic" not in world.status
    assert "canary" not in world.status["display"]


@pytest.mark.parametrize(
    ("weight", "replicas", "pods", "part"),
    [(10, 2, 1, 33), (10, 1, 1, 50), (90, 2, 2, 50), (100, 3, 3, 50), (40, 4, 3, 43)],
)
def test_a_step_that_pods_cannot_make_is_rounded_and_says_so(weight, replicas, pods, part):
    steps = [{"weight": weight, "hold": "10s"}]
    world = asks(served(replicas=replicas, rollout={"steps": steps}))
    world.until("Step")
    world.tick()
    assert world.size() == pods
    assert world.status["traffic"]["canary"] == part
    status, reason, message = world.condition("Progressing")
    assert (status, reason) == ("True", "CanaryStepRounded")
    assert f"{part} %: {pods} of {pods + replicas} pods come nearest to {weight} %" in message


def test_too_few_requests_are_no_success():
    world = asks(served())
    world.answers = good(19)
    world.until("Step")
    world.seconds += 10_000
    world.tick()
    assert (world.state, world.status["rollout"]["step"]) == ("Step", 1)
    status, reason, message = world.condition("CanaryHealthy")
    assert (status, reason) == ("Unknown", "TooFewRequests")
    assert "19 requests" in message
    assert "20 are needed" in message
    world.answers = good(20)
    world.until("Stable")


def test_failures_take_it_back_weight_first_and_the_stable_pods_are_not_touched():
    world = asks(served())
    world.until("Step")
    stable = world.bodies[STABLE]
    world.answers = good(10, failed=2)
    world.told.clear()
    world.until("Degraded")
    world.rest()
    assert [each for each in world.told if each != "status"] == ["patch Canary", "delete Canary"]
    assert world.told[0] == "status"  # that it goes back stands first
    assert world.bodies[STABLE] == stable
    assert world.status["model"]["uri"] == OLD
    assert world.condition("CanaryHealthy")[:2] == ("False", "ErrorRate")
    assert "2 of 10 requests failed; 5.0% is allowed" in world.condition("Degraded")[2]
    assert world.condition("Available")[0] == "True"
    assert reasons(world)[-1] == "CanaryRolledBack"
    world.answers = good()
    world.seconds += 10_000
    world.tick()
    assert (world.state, CANARY in world.bodies) == ("Degraded", False)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (good(100, slow=5), "Latency"),
        (good(1000, failed=51), "ErrorRate"),
    ],
)
def test_limits_of_the_spec_are_kept(answers, reason):
    world = asks(served(rollout={"maxP99": "500ms"}))
    world.until("Step")
    world.answers = answers
    world.until("Degraded")
    assert world.condition("CanaryHealthy")[:2] == ("False", reason)


def test_one_failure_of_the_first_requests_says_nothing_yet():
    world = asks(served())
    world.until("Step")
    world.answers = good(2, failed=1)
    world.seconds += 100
    world.tick()
    assert (world.state, world.status["rollout"]["step"]) == ("Step", 1)
    world.answers = good(20, failed=1)
    world.until("Stable")


def test_what_is_within_the_limits_goes_on():
    world = asks(served(rollout={"maxP99": "500ms"}))
    world.answers = good(1000, failed=50, slow=9)
    world.until("Stable")


def test_an_unfit_model_gets_no_step():
    world = asks(served())
    world.unready, world.broken = (CANARY,), {CANARY: "model.safetensors is damaged"}
    world.until("Degraded")
    assert reasons(world) == ["RollingOut", "CanaryRolledBack"]
    assert world.condition("CanaryHealthy") == ("False", "ModelUnfit", world.broken[CANARY])
    assert world.model() == OLD


def test_a_model_whose_pods_never_answer_goes_after_ten_minutes():
    world = asks(served())
    world.unready = (CANARY,)
    world.tick()
    world.seconds += 598
    world.tick()
    assert world.state == "Preparing"
    world.tick()
    assert world.state == "RollingBack"
    assert "10 minutes" in world.condition("CanaryHealthy")[2]


@pytest.mark.parametrize("name", [STABLE, CANARY])
def test_a_pod_that_is_lost_holds_the_step(name):
    world = asks(served())
    world.until("Step")
    world.seconds += 10_000  # long held: nobody asked anything
    world.lose(name)
    world.seconds += 590
    world.tick()
    assert (world.state, world.status["rollout"]["step"]) == ("Step", 1)
    world.unready = ()
    world.until("Stable")


def test_a_pod_of_the_canary_that_stays_lost_takes_it_back():
    world = asks(served())
    world.until("Step")
    world.lose(CANARY)
    world.seconds += 600
    world.tick()
    assert world.state == "RollingBack"
    assert world.condition("CanaryHealthy")[:2] == ("False", "NotReady")


def test_a_model_that_fails_while_it_takes_over_goes_back():
    world = asks(served())
    world.until("Promote")
    world.unready, world.broken = (STABLE,), {STABLE: "no space left"}
    world.tick()
    assert world.state == "RollingBack"
    world.unready, world.broken = (), {}
    world.until("Degraded")
    world.rest()
    assert (world.model(), CANARY in world.bodies) == (OLD, False)
    assert world.status["model"]["uri"] == OLD
