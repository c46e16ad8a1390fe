"""One ServeDeployment as it is now: its children, its pods, what its servers say."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graft_api.vocabulary import Annotation, Label, Variant
from graft_operator.cluster import reading, routes, scalers
from graft_operator.cluster.discovery import Discovery
from graft_operator.cluster.requests import Ref, get
from graft_operator.cluster.sending import Sender
from graft_operator.cluster.servers import Servers
from graft_operator.observed import Answers, Apis, Canary, Child, Deployed, Observed, Pod, Subject
from graft_operator.policies import answers, offered, referring
from graft_operator.policies.waiting import pod_held
from graft_operator.render.children import (
    AUTOSCALER,
    CANARY,
    CANARY_SERVICE,
    KINDS,
    ROUTE,
    SCALED,
    kind_of,
    name_of,
)
from graft_operator.settings import Settings
from graft_operator.shell.cache import Around, Cache, Note

AROUND_SECONDS = 300.0  # how long the lesser children are taken for unchanged
DEPLOYMENT = "Deployment"
STALLED = "ProgressDeadlineExceeded"
SCRAPED = 32  # pods of a canary whose metrics are read; of more these are a sample


class ServingGatherer:
    """Makes the observed state of a ServeDeployment."""

    def __init__(self, cache: Cache, sender: Sender, servers: Servers, settings: Settings) -> None:
        self._cache = cache
        self._sender = sender
        self._servers = servers
        self._settings = settings
        self._discovery = Discovery(sender, clock=time.monotonic)

    def observe(self, subject: Subject) -> Observed:
        """The children by kind, the counts of the Deployment, and what stands in the way.

        Raises:
            UnreachableError: the server does not answer.
        """
        note = self._cache.note(subject.key)
        apis = self._discovery.apis()
        raw = self._child(subject, DEPLOYMENT)
        deployed = _deployed(raw) if raw else None
        whole = bool(deployed and deployed.complete)
        around = self._around(subject, note, apis, settled=whole)
        children = dict(around.children)
        if raw:
            children[DEPLOYMENT] = _known(raw)
        routed = children.pop(ROUTE, None) or subject.spec.get("gateway")
        route = self._child(subject, ROUTE) if routed and self._routes(apis) else None
        if route:
            children[ROUTE] = _known(route)
        known = children.pop(CANARY, None)
        tried = self._child(subject, CANARY) if known or _tries(subject) else None
        if tried:
            children[CANARY] = _known(tried)
        calm = deployed is None or deployed.complete
        pods = () if calm and not tried else self._pods(subject)
        return Observed(
            children=children,
            deployed=deployed,
            canary=self._canary(subject, tried, pods) if tried else None,
            route=routes.route(route) if route else None,
            unscaled=around.unscaled,
            apis=apis,
            pods=pods,
            broken=self._broken(pod for pod in pods if pod.variant != Variant.CANARY),
            held=next((said for pod in pods if (said := pod_held(pod))), ""),
            refused=note.refused,
            conflict=note.conflict,
            referred=referring.looked_up(subject, self._cache.subject),
        )

    def _routes(self, apis: Apis) -> bool:
        """Whether there may be routes of ours, and we may look."""
        return self._settings.gateway and apis.routes

    def _around(self, subject: Subject, note: Note, apis: Apis, *, settled: bool) -> Around:
        kept, now = note.around, time.monotonic()
        fresh = kept is not None and kept.generation == subject.generation and not kept.unscaled
        if kept is not None and fresh and settled and now - kept.at < AROUND_SECONDS:
            return kept
        raws = dict(self._lesser(subject, apis))
        note.around = Around(
            children={kind: _known(raw) for kind, raw in raws.items()},
            unscaled=self._unscaled(subject, apis, raws),
            generation=subject.generation,
            at=now,
        )
        return note.around

    def _unscaled(self, subject: Subject, apis: Apis, raws: Mapping[str, dict[str, Any]]) -> str:
        """Why what is to follow the queue does not; empty where nothing is to."""
        if offered.scaler(subject, apis, self._settings) not in ("keda", "adapter"):
            return ""
        found = (scalers.trouble(raws[key]) for key in (SCALED, AUTOSCALER) if key in raws)
        return next(filter(None, found), "")

    def _lesser(self, subject: Subject, apis: Apis) -> Iterator[tuple[str, dict[str, Any]]]:
        rare = {
            CANARY_SERVICE: self._settings.gateway,
            ROUTE: self._routes(apis),
            SCALED: bool(self._settings.prometheus) and apis.scaled_objects,
        }
        for key in (*KINDS, CANARY, *(key for key, looked in rare.items() if looked)):
            if key != DEPLOYMENT and (raw := self._child(subject, key)):
                yield key, raw

    def _child(self, subject: Subject, key: str) -> dict[str, Any] | None:
        """The object, if it is there and ours; another's is met when ours is made."""
        ref = Ref(kind=kind_of(key), namespace=subject.namespace, name=name_of(subject, key))
        answer = self._sender.send(get(ref))
        raw: dict[str, Any] = answer.json() if answer.ok else {}
        return raw if raw and reading.owner(raw["metadata"]) == subject.uid else None

    def _pods(self, subject: Subject) -> tuple[Pod, ...]:
        where = Ref(kind="Pod", namespace=subject.namespace)
        selector = f"{Label.UID}={subject.uid}"
        return tuple(map(reading.pod, self._sender.items(where, selector=selector)))

    def _broken(self, pods: Iterable[Pod]) -> str:
        """Why the first of them that says so will never be ready."""
        asked = (pod for pod in pods if _speaks(pod) and not pod.ready)
        return next((said for pod in asked if (said := self._servers.broken(pod.address))), "")

    def _canary(self, subject: Subject, raw: dict[str, Any], pods: tuple[Pod, ...]) -> Canary:
        mine = sorted((p for p in pods if p.variant == Variant.CANARY), key=lambda p: p.uid)
        return Canary(
            child=_known(raw),
            deployed=_deployed(raw),
            broken=self._broken(mine),
            answers=self._answers(subject, [pod for pod in mine if _speaks(pod)][:SCRAPED]),
        )

    def _answers(self, subject: Subject, pods: Iterable[Pod]) -> Answers:
        """What they have answered in the step that the status tells of."""
        note, told = self._cache.note(subject.key), subject.status.get("rollout") or {}
        window = " ".join(str(told.get(key)) for key in ("source", "step", "stepStartTime"))
        said = {pod.uid: self._servers.answers(pod.address) for pod in pods}
        seen = {uid: each for uid, each in said.items() if each is not None}
        note.tally = answers.counted(note.tally, window, seen)
        return note.tally.answers


def _tries(subject: Subject) -> bool:
    """Whether a canary's Deployment may be there; else it is looked for now and then."""
    asked = (subject.spec.get("rollout") or {}).get("strategy") == "canary"
    return asked or "step" in (subject.status.get("rollout") or {})


def _speaks(pod: Pod) -> bool:
    return bool(pod.address) and pod.started and pod.deleting is None


def _known(raw: dict[str, Any]) -> Child:
    notes = raw["metadata"].get("annotations") or {}
    return Child(uid=raw["metadata"]["uid"], stamp=notes.get(Annotation.OBJECT, ""))


def _deployed(raw: dict[str, Any]) -> Deployed:
    status = raw.get("status") or {}
    told = {c["type"]: c for c in status.get("conditions") or ()}
    available = told.get("Available") or {}
    lacks = available if available.get("status") == "False" else {}
    return Deployed(
        wanted=raw["spec"].get("replicas", 1),
        replicas=status.get("replicas") or 0,
        updated=status.get("updatedReplicas") or 0,
        ready=status.get("readyReplicas") or 0,
        available=status.get("availableReplicas") or 0,
        current=(status.get("observedGeneration") or 0) >= raw["metadata"]["generation"],
        stalled=(told.get("Progressing") or {}).get("reason") == STALLED,
        lacking=reading.moment(lacks.get("lastTransitionTime")),
    )
