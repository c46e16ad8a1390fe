"""An object that came by watch or by list, into the cache and its key into the queue."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from graft_api.vocabulary import Label
from graft_operator import metrics
from graft_operator.cluster import reading
from graft_operator.observed import memory
from graft_operator.policies.finishing import finished
from graft_operator.shell.keys import Key
from graft_operator.shell.state import State

Raw = Mapping[str, Any]


def subject_came(state: State, raw: Raw, *, kind: str) -> bool:
    """Whether the custom resource was news; its key is queued then."""
    metrics.WATCH_LAST_EVENT.labels(kind).set(time.time())
    found = reading.subject(raw, kind=kind)
    if not state.cache.put(found):
        return False
    fresh = not state.cache.jobs(found.key, owner=found.uid) and not finished(memory(found))
    state.queue.add(found.key, first=fresh)
    _tell_readers(state, found.key)
    return True


def subject_went(state: State, raw: Raw, *, kind: str) -> None:
    """The custom resource is gone; its children go with it by their owner."""
    found = reading.subject(raw, kind=kind)
    state.cache.drop(found.key, uid=found.uid)
    state.alarm.clear(found.key)
    _tell_readers(state, found.key)


def _tell_readers(state: State, key: Key) -> None:
    for reader in state.cache.readers(key):
        state.queue.add(reader)


def job_came(state: State, raw: Raw) -> bool:
    """Whether the batch Job was news; its owner's key is queued then."""
    metrics.WATCH_LAST_EVENT.labels("Job").set(time.time())
    key = _key(raw)
    if key is None or not state.cache.put_job(key, reading.child_job(raw)):
        return False
    state.queue.add(key)
    return True


def job_went(state: State, raw: Raw) -> None:
    """The batch Job is gone; its owner may need another."""
    key = _key(raw)
    if key is not None:
        state.cache.drop_job(key, uid=raw["metadata"]["uid"])
        state.queue.add(key)


def _key(raw: Raw) -> Key | None:
    labels = raw["metadata"].get("labels") or {}
    if Label.JOB not in labels or Label.KIND not in labels:
        return None
    return labels[Label.KIND], raw["metadata"]["namespace"], labels[Label.JOB]
