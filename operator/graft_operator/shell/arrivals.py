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

JOB = "Job"


def came(state: State, raw: Raw, *, kind: str) -> bool:
    """Whether the object was news; the key that it concerns is queued then."""
    metrics.WATCH_LAST_EVENT.labels(kind).set(time.time())
    return _job_came(state, raw) if kind == JOB else _subject_came(state, raw, kind=kind)


def went(state: State, raw: Raw, *, kind: str) -> None:
    """The object is gone."""
    key = key_of(raw, kind=kind)
    if key is not None:
        lost(state, key, kind=kind, uid=raw["metadata"]["uid"])


def lost(state: State, key: Key, *, kind: str, uid: str) -> bool:
    """Whether the object was known, which is gone.

    The owner of a batch Job may need another; children of a custom resource go by their owner.
    """
    if kind == JOB:
        known = state.cache.drop_job(key, uid=uid)
        state.queue.add(key)
        return known
    if not state.cache.drop(key, uid=uid):
        return False  # another of that name may be there by now, with an alarm of its own
    state.alarm.clear(key)
    _tell_readers(state, key)
    return True


def news(state: State, raw: Raw, *, kind: str) -> bool:
    """Whether the cache does not have the object as it is here, nor a newer one."""
    if kind != JOB:
        return state.cache.newer(reading.subject(raw, kind=kind))
    key = key_of(raw, kind=kind)
    return key is not None and state.cache.newer_job(key, reading.child_job(raw))


def key_of(raw: Raw, *, kind: str) -> Key | None:
    """The key that the object concerns; None for a batch Job that names no job."""
    meta = raw["metadata"]
    if kind != JOB:
        return kind, meta["namespace"], meta["name"]
    labels = meta.get("labels") or {}
    if Label.JOB not in labels or Label.KIND not in labels:
        return None
    return labels[Label.KIND], meta["namespace"], labels[Label.JOB]


def _subject_came(state: State, raw: Raw, *, kind: str) -> bool:
    found = reading.subject(raw, kind=kind)
    if not state.cache.put(found):
        return False
    fresh = not state.cache.jobs(found.key, owner=found.uid) and not finished(memory(found))
    state.queue.add(found.key, first=fresh)
    _tell_readers(state, found.key)
    return True


def _job_came(state: State, raw: Raw) -> bool:
    key = key_of(raw, kind=JOB)
    if key is None or not state.cache.put_job(key, reading.child_job(raw)):
        return False
    state.queue.add(key)
    return True


def _tell_readers(state: State, key: Key) -> None:
    for reader in state.cache.readers(key):
        state.queue.add(reader)
