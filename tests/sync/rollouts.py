"""A ServeDeployment in a world of values: an operator that may die, Deployments that follow."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from graft_api.servedeployment import ServeDeploymentStatus
from graft_api.vocabulary import Annotation
from graft_operator.observed import (
    Answers,
    Apis,
    Canary,
    Child,
    Deployed,
    Observed,
    Route,
    Subject,
)
from graft_operator.outcome import Event, Outcome
from graft_operator.render.children import CANARY, ROUTE, key
from graft_operator.render.routing import share
from graft_operator.settings import Settings
from tests.builders import SETTINGS, START, UID, at, look

OLD, NEW, NEWER = (f"/graft/store/artefacts/sha256-{number}" for number in (1, 2, 3))
STABLE = "Deployment"
TICK = 2.0
STEPS = [{"weight": 20, "hold": "20s"}, {"weight": 50, "hold": "30s"}]
Body = dict[str, Any]


def serve(*, model: str = OLD, replicas: int = 4, rollout: Body | None = None, **spec: Any) -> Body:
    """The spec of a deployment with a canary of two steps."""
    asked = {"strategy": "canary", "steps": STEPS, "maxErrorRate": 0.05} | (rollout or {})
    return {"model": {"from": {"uri": model}}, "replicas": replicas, "rollout": asked} | spec


@dataclass(slots=True, kw_only=True)
class World:
    """What the API server holds, and what pods do."""

    spec: Body
    status: Body = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    counts: dict[str, Deployed] = field(default_factory=dict)
    unready: tuple[str, ...] = ()  # Deployments whose new pods do not become ready
    broken: dict[str, str] = field(default_factory=dict)  # what their pods say of their model
    answers: Answers = field(default_factory=Answers)  # of the canary, in each of its steps
    apis: Apis = field(default_factory=Apis)
    settings: Settings = SETTINGS
    unscaled: str = ""  # what the autoscaler complains of
    accepted: bool | None = True  # what the controller of the Gateway says of the route
    generation: int = 1
    seconds: float = 0.0
    writes: int = 0
    dies: int | None = None  # before the write of this number
    events: list[Event] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # the writes in words
    looks: list[tuple[str, ...]] = field(default_factory=list)  # the same of each look that wrote
    watch: Callable[[World], None] = lambda world: None  # after every write

    @property
    def subject(self) -> Subject:
        return Subject(
            kind="ServeDeployment",
            namespace="team",
            name="reviews",
            uid=UID,
            generation=self.generation,
            version=1,
            created=START,
            spec=self.spec,
            status=self.status,
        )

    @property
    def state(self) -> str:
        return str(self.status["rollout"]["state"])

    def model(self, name: str = STABLE) -> str:
        return str(self.bodies[name]["spec"]["template"]["spec"]["containers"][0]["args"][0])

    def size(self, name: str = CANARY) -> int | None:
        return self.bodies[name]["spec"]["replicas"] if name in self.bodies else None

    @property
    def weight(self) -> int | None:
        """The percentage that the route gives the canary."""
        return share(self.bodies[ROUTE]["spec"]) if ROUTE in self.bodies else None

    def condition(self, kind: str) -> tuple[str, str, str]:
        found = next(c for c in self.status["conditions"] if c["type"] == kind)
        return found["status"], found["reason"], found["message"]

    def change(self, **spec: Any) -> None:
        self.spec = self.spec | spec
        self.generation += 1

    def lose(self, name: str) -> None:
        """One pod of that Deployment does not answer, and no other comes."""
        self.unready = (name,)
        count = self.counts[name]
        left, now = count.available - 1, at(self.seconds)
        self.counts[name] = replace(count, ready=left, available=left, current=False, lacking=now)

    def observed(self) -> Observed:
        stamps = {
            name: Child(uid=name, stamp=body["metadata"]["annotations"][str(Annotation.OBJECT)])
            for name, body in self.bodies.items()
        }
        tried = None
        if CANARY in stamps:
            tried = Canary(
                child=stamps[CANARY],
                deployed=self.counts[CANARY],
                broken=self.broken.get(CANARY, ""),
                answers=self.answers,
            )
        return Observed(
            children=stamps,
            deployed=self.counts.get(STABLE),
            canary=tried,
            route=self._route(),
            unscaled=self.unscaled,
            apis=self.apis,
            broken=self.broken.get(STABLE, ""),
        )

    def _route(self) -> Route | None:
        weight = self.weight
        if weight is None or not self.apis.routes:
            return None
        words = "" if self.accepted else "no listener of that name"
        return Route(weight=weight, accepted=self.accepted, message=words)

    def look(self) -> Outcome:
        now = at(self.seconds)
        return look(self.subject, self.observed(), now=now, settings=self.settings)

    def tick(self) -> None:
        """Controllers do their part, then the operator looks for as long as it has to tell."""
        self.seconds += TICK
        for name, count in self.counts.items():
            self.counts[name] = self._followed(name, count)
        for _ in range(20):
            outcome = self.look()
            if not self._act(outcome) or outcome.status is None or not outcome.urgent:
                return
        raise AssertionError("the operator does not come to rest")

    def until(self, *states: str, seconds: float = 2000.0) -> None:
        end = self.seconds + seconds
        while not self.status or self.state not in states:
            assert self.seconds < end, (self.status, self.told)
            self.tick()

    def rest(self) -> None:
        """Nothing is left to do."""
        for _ in range(20):
            before = self.writes
            self.tick()
            if self.writes == before and not self.look().acts:
                return
        raise AssertionError(self.told)

    def _act(self, outcome: Outcome) -> bool:
        """Whether the operator has lived to the end of it."""
        wanted = tuple(self._writes(outcome))
        if wanted:
            self.looks.append(tuple(words for words, _ in wanted))
        for words, write in wanted:
            if self.writes == self.dies:
                self.dies = None
                return False
            self.writes += 1
            write()
            self.told.append(words)
            self.watch(self)
        self.events += outcome.events if outcome.status is not None else ()
        return True

    def _writes(self, outcome: Outcome) -> Iterator[tuple[str, Callable[[], None]]]:
        for patch in outcome.patch:
            yield f"patch {key(patch.body)}", lambda body=patch.body: self._put(body)
        for gone in outcome.delete:
            yield f"delete {gone.uid}", lambda name=gone.uid: self._drop(name)
        for body in outcome.create:
            yield f"create {key(body)}", lambda body=body: self._put(body)
        if outcome.status is not None:
            yield "status", lambda: self._tell(outcome.status or {})

    def _put(self, body: Body) -> None:
        name = key(body)
        self.bodies[name] = merged(self.bodies.get(name, {}), body)
        if body["kind"] == STABLE:
            old = self.counts.get(name, Deployed(wanted=4))
            wanted = body["spec"].get("replicas", old.wanted)
            self.counts[name] = replace(old, wanted=wanted, current=False)

    def _drop(self, name: str) -> None:
        del self.bodies[name]
        self.counts.pop(name, None)

    def _tell(self, status: Body) -> None:
        ServeDeploymentStatus.model_validate_json(json.dumps(status))
        self.status = copy.deepcopy(status)

    def _followed(self, name: str, old: Deployed) -> Deployed:
        if name in self.unready and not old.current:
            return old
        given = old.wanted
        return Deployed(
            wanted=given, replicas=given, updated=given, ready=given, available=given, current=True
        )


def merged(old: Any, patch: Any) -> Any:
    """What the server makes of a merge patch."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    under = old if isinstance(old, dict) else {}
    kept = {name: value for name, value in under.items() if patch.get(name, ...) is not None}
    new = {name: merged(under.get(name), value) for name, value in patch.items()}
    return kept | {name: value for name, value in new.items() if value is not None}


def served(*, apis: Apis | None = None, settings: Settings | None = None, **spec: Any) -> World:
    """A world in which the first model answers; asked for by the words of `serve`."""
    world = World(spec=serve(**spec), apis=apis or Apis(), settings=settings or SETTINGS)
    world.until("Stable")
    world.rest()
    world.events.clear()
    world.told.clear()
    world.looks.clear()
    world.writes = 0
    return world


def good(requests: float = 500.0, *, failed: float = 0.0, slow: float = 0.0) -> Answers:
    """Answers within 100 ms, but for those that took longer than a second."""
    slots = ((0.1, requests - slow), (1.0, requests - slow), (2.5, requests))
    return Answers(requests=requests, failed=failed, slots=slots)


def asks(world: World, model: str = NEW) -> World:
    """The world with another model in the spec, which answers well."""
    world.answers = good()
    world.change(model={"from": {"uri": model}})
    return world


def reasons(world: World) -> list[str]:
    """Of the events that were sent."""
    return [event.reason for event in world.events]
