"""One ServeDeployment as it is now: its children, its pods, what its servers say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from graft_api.vocabulary import Annotation, Label
from graft_operator.cluster import reading
from graft_operator.cluster.requests import Ref, get
from graft_operator.cluster.sending import Sender
from graft_operator.cluster.servers import Servers
from graft_operator.observed import Child, Deployed, Observed, Pod, Subject
from graft_operator.policies import referring
from graft_operator.policies.waiting import pod_held
from graft_operator.render.serving import KINDS, name_of
from graft_operator.shell.cache import Around, Cache, Note

AROUND_SECONDS = 300.0  # how long the lesser children are taken for unchanged
DEPLOYMENT = "Deployment"


class ServingGatherer:
    """Makes the observed state of a ServeDeployment."""

    def __init__(self, cache: Cache, sender: Sender, servers: Servers) -> None:
        self._cache = cache
        self._sender = sender
        self._servers = servers

    def observe(self, subject: Subject) -> Observed:
        """The children by kind, the counts of the Deployment, and what stands in the way.

        Raises:
            UnreachableError: the server does not answer.
        """
        note = self._cache.note(subject.key)
        raw = self._child(subject, DEPLOYMENT)
        deployed = _deployed(raw) if raw else None
        children = dict(self._around(subject, note, settled=bool(deployed and deployed.complete)))
        if raw:
            children[DEPLOYMENT] = _known(raw)
        pods = () if deployed is None or deployed.complete else self._pods(subject)
        return Observed(
            children=children,
            deployed=deployed,
            pods=pods,
            broken=next((said for pod in pods if (said := self._broken(pod))), ""),
            held=next((said for pod in pods if (said := pod_held(pod))), ""),
            refused=note.refused,
            conflict=note.conflict,
            referred=referring.looked_up(subject, self._cache.subject),
        )

    def _around(self, subject: Subject, note: Note, *, settled: bool) -> dict[str, Child]:
        kept, now = note.around, time.monotonic()
        fresh = kept is not None and kept.generation == subject.generation
        if kept is not None and fresh and settled and now - kept.at < AROUND_SECONDS:
            return kept.children
        found = {kind: _known(raw) for kind, raw in self._lesser(subject)}
        note.around = Around(children=found, generation=subject.generation, at=now)
        return found

    def _lesser(self, subject: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
        for kind in KINDS:
            if kind != DEPLOYMENT and (raw := self._child(subject, kind)):
                yield kind, raw

    def _child(self, subject: Subject, kind: str) -> dict[str, Any] | None:
        """The object, if it is there and ours; another's is met when ours is made."""
        ref = Ref(kind=kind, namespace=subject.namespace, name=name_of(subject))
        answer = self._sender.send(get(ref))
        raw: dict[str, Any] = answer.json() if answer.ok else {}
        return raw if raw and reading.owner(raw["metadata"]) == subject.uid else None

    def _pods(self, subject: Subject) -> tuple[Pod, ...]:
        where = Ref(kind="Pod", namespace=subject.namespace)
        selector = f"{Label.UID}={subject.uid}"
        return tuple(map(reading.pod, self._sender.items(where, selector=selector)))

    def _broken(self, pod: Pod) -> str:
        if pod.ready or pod.deleting or not pod.address or not pod.started:
            return ""
        return self._servers.broken(pod.address)


def _known(raw: dict[str, Any]) -> Child:
    notes = raw["metadata"].get("annotations") or {}
    return Child(uid=raw["metadata"]["uid"], stamp=notes.get(Annotation.OBJECT, ""))


def _deployed(raw: dict[str, Any]) -> Deployed:
    status = raw.get("status") or {}
    return Deployed(
        wanted=raw["spec"].get("replicas", 1),
        replicas=status.get("replicas") or 0,
        updated=status.get("updatedReplicas") or 0,
        ready=status.get("readyReplicas") or 0,
        available=status.get("availableReplicas") or 0,
        current=(status.get("observedGeneration") or 0) >= raw["metadata"]["generation"],
    )
