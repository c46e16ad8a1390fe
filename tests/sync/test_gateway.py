"""A canary behind a Gateway: exact shares, weights before pods on the way down, what is missing."""

from __future__ import annotations

import pytest

from graft_operator.observed import Apis
from graft_operator.render.children import CANARY_SERVICE, ROUTE
from tests.builders import SETTINGS
from tests.sync.rollouts import (
    CANARY,
    NEW,
    NEWER,
    OLD,
    STABLE,
    TICK,
    asks,
    good,
    reasons,
    served,
)

GATEWAY = {"name": "public", "namespace": "edge", "hostnames": ["reviews.example"]}
STEPS = [{"weight": 20, "hold": "20s"}, {"weight": 90, "hold": "30s"}]
HERE = Apis(routes=True)
ALLOWED = SETTINGS.model_copy(update={"gateway": True})


def behind(*, gateway=None, apis=HERE, settings=ALLOWED, **spec):
    given = {"gateway": gateway or GATEWAY, "rollout": {"steps": STEPS}} | spec
    return served(apis=apis, settings=settings, **given)


def selector(world, name):
    return world.bodies[name]["spec"]["selector"].get("graft.dev/variant")


def acts(world):
    return [words for words in world.told if words != "status"]


def answers_wherever_it_is_sent(world):
    """The rule that no crash may break: a share stands only where pods of the canary do."""
    if world.weight:
        assert world.counts[CANARY].available, world.told
        assert world.size(), world.told


def test_a_route_splits_requests_between_the_services_of_both_models():
    world = behind()
    spec = world.bodies[ROUTE]["spec"]
    assert world.bodies[ROUTE]["metadata"]["name"] == "reviews-serve"
    assert spec["parentRefs"] == [
        {
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "name": "public",
            "namespace": "edge",
        }
    ]
    assert spec["hostnames"] == ["reviews.example"]
    (rule,) = spec["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert "filters" not in rule
    assert [(b["name"], b["port"], b["weight"]) for b in rule["backendRefs"]] == [
        ("reviews-serve", 80, 100),
        ("reviews-canary", 80, 0),
    ]
    assert (selector(world, "Service"), selector(world, CANARY_SERVICE)) == ("stable", "canary")


def test_a_path_of_its_own_is_cut_off_before_the_server_sees_it():
    world = behind(gateway=GATEWAY | {"path": "/reviews", "sectionName": "https"})
    spec = world.bodies[ROUTE]["spec"]
    assert spec["parentRefs"][0]["sectionName"] == "https"
    (rule,) = spec["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/reviews"}}]
    cut = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
    assert rule["filters"] == [{"type": "URLRewrite", "urlRewrite": {"path": cut}}]


def test_shares_are_exact_and_may_be_more_than_half():
    world = asks(behind())
    world.until("Step")
    world.tick()
    assert (world.weight, world.size()) == (20, 1)
    assert world.status["traffic"] == {"stable": 80, "canary": 20}
    world.until("Preparing")
    assert (world.weight, world.size()) == (20, 4)  # pods first, then requests
    world.until("Step")
    world.tick()
    assert (world.weight, world.size(STABLE)) == (90, 4)
    assert world.status["traffic"] == {"stable": 10, "canary": 90}
    assert world.status["display"]["canary"] == "90%"
    told = "step 2 of 2: 90 %, by a route, 4 pods of the canary"
    assert world.condition("Progressing") == ("True", "CanaryStep", told)
    world.until("Stable")
    world.rest()
    assert (world.weight, world.model(), CANARY in world.bodies) == (0, NEW, False)
    assert reasons(world) == ["RollingOut", "CanaryStep", "CanaryStep", "RolledOut"]


def test_a_look_writes_one_thing_and_the_route_is_turned_back_before_pods_go():
    world = asks(behind())
    world.watch = answers_wherever_it_is_sent
    world.until("Promote")
    world.until("Stable")
    world.rest()
    assert [words for words in world.looks if words != ("status",)] == [
        ("create Canary",),
        ("patch HTTPRoute",),
        ("patch Canary",),
        ("patch HTTPRoute",),
        ("patch Deployment",),
        ("patch HTTPRoute",),
        ("delete Canary",),
    ]


def test_a_rollback_sets_the_weight_to_none_first():
    world = asks(behind())
    world.until("Step")
    world.tick()
    stable = world.bodies[STABLE]
    world.answers = good(10, failed=2)
    world.told.clear()
    world.watch = answers_wherever_it_is_sent
    world.until("Degraded")
    world.rest()
    assert acts(world) == ["patch HTTPRoute", "patch Canary", "delete Canary"]
    assert (world.weight, world.bodies[STABLE]) == (0, stable)
    assert reasons(world)[-1] == "CanaryRolledBack"


def test_another_model_meanwhile_gets_no_request_before_its_pods_answer():
    world = asks(behind())
    world.until("Step")
    world.tick()
    world.told.clear()
    world.change(model={"from": {"uri": NEWER}})
    world.tick()
    world.tick()
    assert acts(world) == ["patch HTTPRoute", "patch Canary"]
    assert (world.weight, world.model(CANARY)) == (0, NEWER)
    world.until("Stable")
    assert world.status["model"]["uri"] == NEWER


@pytest.mark.parametrize(
    ("settings", "apis", "reason", "remedy"),
    [
        (SETTINGS, HERE, "GatewayOff", "serve.gateway: true"),
        (ALLOWED, Apis(), "GatewayMissing", "install Gateway API"),
    ],
)
def test_without_routes_a_condition_says_why_and_pods_make_the_shares(
    settings, apis, reason, remedy
):
    world = asks(behind(settings=settings, apis=apis))
    world.until("Step")
    assert {ROUTE, CANARY_SERVICE}.isdisjoint(world.bodies)
    assert selector(world, "Service") is None
    assert world.status["traffic"] == {"stable": 80, "canary": 20}
    status, found, message = world.condition("Routed")
    assert (status, found) == ("False", reason)
    assert remedy in message
    assert "a canary goes by pods" in message
    assert world.condition("Ready")[0] == "True"
    world.until("Stable")


def test_gateway_api_that_comes_during_a_canary_is_used_from_then_on():
    world = asks(behind(apis=Apis()))
    world.until("Step")
    world.apis = HERE
    world.tick()
    assert (world.weight, selector(world, "Service")) == (20, "stable")
    world.apis = Apis()  # its definitions are removed, and every route with them
    del world.bodies[ROUTE]
    world.tick()
    world.tick()
    assert (selector(world, "Service"), world.size()) == (None, 1)
    assert world.status["traffic"] == {"stable": 80, "canary": 20}
    world.until("Stable")


def test_a_gateway_that_is_named_no_more_takes_the_route_with_it():
    world = behind()
    del world.spec["gateway"]
    world.change()
    world.rest()
    assert {ROUTE, CANARY_SERVICE}.isdisjoint(world.bodies)
    assert selector(world, "Service") is None
    assert world.condition("Routed")[:2] == ("False", "NotAsked")


@pytest.mark.parametrize(
    ("accepted", "status", "reason", "words"),
    [
        (True, "True", "Accepted", "Gateway edge/public sends requests here"),
        (None, "Unknown", "Pending", "no controller has answered for Gateway edge/public"),
        (False, "False", "NotAccepted", "no listener of that name"),
    ],
)
def test_the_condition_tells_what_the_controller_of_the_gateway_says(
    accepted, status, reason, words
):
    world = behind()
    world.accepted = accepted
    world.tick()
    found = world.condition("Routed")
    assert found[:2] == (status, reason)
    assert words in found[2]


def test_weights_that_somebody_bent_are_put_right():
    world = behind()
    world.bodies[ROUTE]["spec"]["rules"][0]["backendRefs"][1]["weight"] = 40
    world.seconds += TICK
    world.tick()
    assert world.weight == 0


def rolled_out(dies):
    world = asks(behind())
    world.dies, world.watch = dies, answers_wherever_it_is_sent
    for _ in range(100):
        world.tick()
    world.rest()
    return world


def taken_back(dies):
    world = asks(behind())
    world.until("Step")
    world.tick()
    world.writes = 0
    world.dies, world.watch = dies, answers_wherever_it_is_sent
    world.answers = good(10, failed=5)
    world.tick()
    world.until("Degraded", seconds=1000)
    world.rest()
    return world


@pytest.mark.parametrize(("story", "model"), [(rolled_out, NEW), (taken_back, OLD)])
def test_an_operator_that_dies_before_any_write_leaves_no_share_without_pods(story, model):
    whole = story(None)
    assert whole.writes > 5
    assert whole.status["model"]["uri"] == model
    for number in range(whole.writes):
        world = story(number)
        assert world.dies is None, number
        assert world.bodies == whole.bodies, number
        assert (world.state, world.weight) == (whole.state, 0)
