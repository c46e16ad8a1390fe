"""Does what an outcome asks for: children, then status, then events."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from graft_api.vocabulary import API_VERSION
from graft_operator import metrics
from graft_operator.cluster import reading, requests
from graft_operator.cluster.connection import RefusedError
from graft_operator.cluster.requests import Answer, Object, Ref
from graft_operator.cluster.sending import Sender
from graft_operator.cluster.workers import Workers
from graft_operator.observed import Subject, memory
from graft_operator.outcome import Delete, Event, Outcome, Patch
from graft_operator.policies import pacing
from graft_operator.policies.finishing import finished
from graft_operator.settings import Settings
from graft_operator.shell import counting
from graft_operator.shell.cache import REFUSAL_SECONDS, Note
from graft_operator.shell.state import State
from graft_operator.status.patching import merge_patch
from graft_operator.sync import token

log = logging.getLogger(__name__)

LEVELS = {"Normal": logging.INFO, "Warning": logging.WARNING}
CONTROLLER = "graft.dev/operator"
GONE = (404, 409)  # the object is not there any more, or is another of that name


class Actor:
    """Carries out outcomes; the order of its steps is what a crash at any point relies on."""

    def __init__(self, state: State, sender: Sender, workers: Workers, settings: Settings) -> None:
        self._cache, self._queue = state.cache, state.queue
        self._sender = sender
        self._workers = workers
        self._settings = settings

    def act(self, subject: Subject, outcome: Outcome) -> bool:
        """Whether the job is to be looked at again at once.

        Raises:
            UnreachableError: the server does not answer; what is missing is done another time.
            RefusedError: a write that should always be allowed was not.
        """
        note = self._cache.note(subject.key)
        if outcome.acts:
            note.around = None
        for patch in outcome.patch:
            self._patch(subject, patch)
        for delete in outcome.delete:
            self._delete(subject, delete)
        for address in outcome.checkpoint:
            secret = token(self._settings, subject.uid)
            if self._workers.save(address, token=secret):
                break
        if outcome.create and not self._create(subject, outcome.create, note):
            return True
        if outcome.create and self._queue.new():
            return True  # the children of new jobs come before the words about this one
        return self._tell(subject, outcome, note)

    def _create(self, subject: Subject, objects: tuple[Object, ...], note: Note) -> bool:
        """Whether all are there; else a note says why not, and no pod of them is left."""
        pods: list[Object] = []
        for body in objects:
            answer = self._sender.send(requests.create(body))
            trouble = None if answer.ok else self._trouble(subject, body, answer, note)
            if trouble is not None:
                self._withdraw(pods)
                metrics.RECONCILES.labels(subject.kind, trouble).inc()
                return False
            if body["kind"] == "Pod" and answer.ok:
                pods.append(answer.json())
            if body["kind"] == "PersistentVolumeClaim":
                self._cache.add_store(subject.namespace)
            if body["kind"] == "Job" and answer.ok:
                self._cache.put_job(subject.key, reading.child_job(answer.json()))
        return True

    def _trouble(self, subject: Subject, body: Object, answer: Answer, note: Note) -> str | None:
        """What is wrong with a child that was not made; None where it had been made before."""
        ref = requests.ref_of(body)
        note.until = time.monotonic() + REFUSAL_SECONDS
        if answer.code != 409:
            note.refused = f"{ref.kind} {ref.name}: {answer.message()}"
            return "refused"
        found = self._sender.send(requests.get(ref)).json()
        if not body["metadata"].get("ownerReferences"):
            return None
        if reading.owner(found.get("metadata") or {}) != subject.uid:
            note.conflict = (
                f"{ref.kind} {ref.name} exists and belongs to another; rename the job or remove it"
            )
            return "conflict"
        if ref.kind == "Job":
            self._cache.put_job(subject.key, reading.child_job(found))
        return None

    def _withdraw(self, pods: list[Object]) -> None:
        for pod in pods:
            ref, uid = requests.ref_of(pod), pod["metadata"]["uid"]
            self._sender.send(requests.delete(ref, uid=uid))

    def _patch(self, subject: Subject, patch: Patch) -> None:
        ref = Ref(kind=patch.kind, namespace=subject.namespace, name=patch.name)
        request = requests.merge(ref, patch.body)
        answer = self._sender.send(request)
        if answer.ok and patch.kind == "Job":
            self._cache.put_job(subject.key, reading.child_job(answer.json()))
        elif not answer.ok and answer.code not in GONE:
            raise RefusedError(request, answer)

    def _delete(self, subject: Subject, delete: Delete) -> None:
        ref = Ref(kind=delete.kind, namespace=subject.namespace, name=delete.name)
        request = requests.delete(ref, uid=delete.uid, grace_seconds=delete.grace_seconds)
        answer = self._sender.send(request)
        if not answer.ok and answer.code not in GONE:
            raise RefusedError(request, answer)
        if delete.kind == "Job":
            self._cache.mark_deleting(subject.key, uid=delete.uid)

    def _tell(self, subject: Subject, outcome: Outcome, note: Note) -> bool:
        if outcome.status is None or not self._due(subject, outcome, note):
            return False
        patch = merge_patch(dict(subject.status), outcome.status)
        body = {"metadata": {"uid": subject.uid}, "status": patch}
        ref = Ref(kind=subject.kind, namespace=subject.namespace, name=subject.name)
        request = requests.merge(ref, body, subresource="status")
        answer = self._sender.send(request)
        if answer.code in GONE:
            return False
        if not answer.ok:
            raise RefusedError(request, answer)
        note.written = time.monotonic()
        cause = "change" if outcome.urgent else "progress"
        metrics.STATUS_WRITES.labels(subject.kind, cause).inc()
        counting.count(subject, outcome.status)
        written = reading.subject(answer.json(), kind=subject.kind)
        self._cache.put(written)
        for reader in self._cache.readers(subject.key):
            self._queue.add(reader)
        note.leftover = finished(memory(written))
        for event in outcome.events:
            log.log(LEVELS[event.type], "%s: %s", event.reason, event.message)
            self._sender.send(requests.create(_event(subject, event, self._settings.identity)))
        return outcome.urgent

    def _due(self, subject: Subject, outcome: Outcome, note: Note) -> bool:
        if outcome.urgent:
            return True
        assert outcome.status is not None
        waited = time.monotonic() - note.written
        pause = self._settings.status_seconds
        return pacing.due(subject.status, outcome.status, waited=waited, pause=pause)


def _event(subject: Subject, event: Event, instance: str) -> Object:
    regarding: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": subject.kind,
        "name": subject.name,
        "namespace": subject.namespace,
        "uid": subject.uid,
    }
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{subject.name}.{uuid4().hex[:16]}",
            "namespace": subject.namespace,
        },
        "regarding": regarding,
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:128],
        "action": "Reconcile",
        "type": event.type,
        "reason": event.reason,
        "note": event.message,
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
