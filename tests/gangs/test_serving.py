"""A model served in the cluster: asked while pods, sizes and models change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.fixtures import SPACE
from tests.cluster.given import Cluster
from tests.cluster.namespaces import Namespace
from tests.cluster.wait import until
from tests.gangs.arena import remove
from tests.gangs.jobs import Applied, apply, small
from tests.gangs.operators import Operator
from tests.gangs.servers import Client, addresses, ask, in_step, ready, serve, version

ARTEFACTS = "/graft/store/artefacts"
ROLLOUTS = int(os.environ.get("GRAFT_TEST_ROLLOUTS", "2"))  # an even number: the first model ends


@dataclass(frozen=True, slots=True)
class House:
    """A namespace with two models and a deployment of the first."""

    space: Namespace
    store: Path
    models: tuple[str, str]
    served: Applied

    def spoilt(self, copied: str) -> str:
        """A copy of the second model, of that name, with one byte of its weights turned."""
        name = Path(self.models[1]).name
        copy = self.store / "artefacts" / copied
        shutil.copytree(self.store / "artefacts" / name, copy)
        weights = copy / "model.safetensors"
        data = bytearray(weights.read_bytes())
        data[-1] ^= 0xFF
        weights.write_bytes(data)
        for path in copy.iterdir():
            path.chmod(0o644)
        return f"{ARTEFACTS}/{copied}"


@pytest.fixture(scope="module")
def made(cluster: Cluster, operator: Operator) -> Iterator[House]:
    space = Namespace.make(cluster, "serving")
    space.logs.append(operator.log)
    store = space.store()
    jobs = [
        apply(space, small(name, training={"duration": {"steps": steps}}))
        for name, steps in (("first", 10), ("second", 12))
    ]
    uris = [job.phase("Complete")["artefact"]["uri"] for job in jobs]
    served = apply(space, serve("reviews", model={"from": {"uri": uris[0]}}))
    ready(served)
    yield House(space, store, (uris[0], uris[1]), served)
    space.remove()


@pytest.fixture
def house(made: House, request: pytest.FixtureRequest) -> House:
    request.node.stash[SPACE] = made.space
    return made


def test_a_deployment_answers_and_tells_what_it_is(house: House):
    status = house.served.status
    assert (status["replicas"], status["readyReplicas"]) == (2, 2)
    assert status["model"]["uri"] == house.models[0]
    (answer,) = ask(house.space, "reviews", "well done")
    assert answer["label"] in ("negative", "positive")
    told = house.space.kubectl("get", "serve", "reviews")
    assert "2/2" in told
    assert f"reviews-serve.{house.space.name}.svc" in told


def test_no_request_fails_while_pods_sizes_and_models_change(house: House, base_image: str):
    client = Client.start(house.space, base_image, "reviews", name="client")
    for number in range(ROLLOUTS):
        uri = house.models[(number + 1) % 2]
        house.served.patch(model={"from": {"uri": uri}})
        house.served.until(lambda s, uri=uri: s["model"]["uri"] == uri, f"{uri} to answer")
    house.space.kubectl("scale", "serve/reviews", "--replicas=3")
    house.served.until(lambda s: s["readyReplicas"] == 3, "three pods")
    first = house.space.pods("graft.dev/job=reviews,graft.dev/role=server")[0]
    remove(house.space, first["metadata"]["name"])
    house.space.gone("Pod", first["metadata"]["name"])
    house.space.kubectl("scale", "serve/reviews", "--replicas=2")
    house.served.until(lambda s: s["replicas"] == 2, "two pods")
    told = client.end()
    assert told["failed"] == []
    assert told["done"] > 100


def test_an_unfit_model_gets_no_traffic_and_is_taken_back(house: House):
    before = set(addresses(house.space, "reviews"))
    house.served.patch(model={"from": {"uri": house.spoilt("spoilt")}})
    status = house.served.until(
        lambda s: s["rollout"]["state"] == "Degraded", "the unfit model to be taken back"
    )
    assert status["model"]["uri"] == house.models[0]
    assert "model.safetensors" in house.served.condition("Degraded")["message"]
    until(
        lambda: len(house.space.pods("graft.dev/job=reviews,graft.dev/role=server")) == 2,
        "the end of the pod with the unfit model",
    )
    assert set(addresses(house.space, "reviews")) == before
    house.served.patch(model={"from": {"uri": house.models[0]}})
    ready(house.served)


def test_a_canary_takes_over_by_steps_and_an_unfit_one_goes_without_a_lost_request(
    house: House, base_image: str
):
    steps = [{"weight": 33, "hold": "3s"}, {"weight": 50, "hold": "3s"}]
    asked = {"strategy": "canary", "steps": steps, "maxErrorRate": 0.05, "maxP99": "10s"}
    client = Client.start(house.space, base_image, "reviews", name="crowd")
    house.served.patch(model={"from": {"uri": house.models[1]}}, rollout=asked)
    for number, part in ((1, 33), (2, 50)):
        status = house.served.until(lambda s, n=number: in_step(s, n), f"step {number}")
        assert status["traffic"] == {"stable": 100 - part, "canary": part}
        assert status["model"]["uri"] == house.models[0]
    house.served.until(lambda s: s["rollout"]["state"] == "Stable", "the new model")
    house.served.patch(model={"from": {"uri": house.spoilt("damaged")}})
    status = house.served.until(lambda s: s["rollout"]["state"] == "Degraded", "the way back")
    assert status["model"]["uri"] == house.models[1]
    assert house.served.condition("CanaryHealthy")["reason"] == "ModelUnfit"
    told = client.end()
    assert told["failed"] == []
    assert told["versions"] == sorted(map(version, house.models))
    events = house.space.kubectl("get", "events", "-o=jsonpath={.items[*].reason}").split()
    assert [events.count(word) for word in ("CanaryStep", "CanaryRolledBack")] == [2, 1]


def test_a_lost_child_is_made_again_and_all_go_with_the_deployment(house: House):
    house.space.kubectl("delete", "deployment", "reviews-serve")
    until(lambda: not addresses(house.space, "reviews"), "the end of the pods")
    until(lambda: len(addresses(house.space, "reviews")) == 2, "two new pods", seconds=120)
    house.space.kubectl("delete", "serve", "reviews")
    kinds = "deployment,service,poddisruptionbudget,networkpolicy"
    until(
        lambda: "reviews-serve" not in house.space.kubectl("get", kinds),
        "the end of the children",
        seconds=90,
    )
