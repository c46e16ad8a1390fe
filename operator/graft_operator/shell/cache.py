"""What the watches have told: jobs and their batch Jobs; and what looks have found."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from graft_api.progress import ProgressReport
from graft_operator.observed import Child, ChildJob, Pod, Subject
from graft_operator.policies import referring
from graft_operator.policies.answers import Tally
from graft_operator.shell.keys import Key
from graft_operator.shell.packed import Packed

REFUSAL_SECONDS = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Pods as a look found them, with the Jobs that they belonged to."""

    jobs: tuple[ChildJob, ...]
    pods: tuple[Pod, ...]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The children of a ServeDeployment beside its Deployment, as a look found them."""

    children: dict[str, Child]
    unscaled: str  # why its autoscaler does not follow the queue
    generation: int
    at: float


@dataclass(slots=True, kw_only=True)
class Note:
    """What the shell remembers of one job between two looks; lost with the process."""

    refused: str = ""
    conflict: str = ""
    until: float = 0.0  # a refusal is forgotten then, so that it is tried again
    report: ProgressReport | None = None
    report_error: str = ""
    pulled: float = 0.0
    speaker: str = ""  # address of the worker that answered last
    silent: float = 0.0  # since when nobody answers; 0: somebody did
    written: float = 0.0  # the newest status write
    leftover: bool = False  # a finished job may still hold pods
    around: Around | None = None
    tally: Tally = field(default_factory=Tally)  # of the canary
    sight: Sight | None = None  # pods of workers that all train, as they were seen


@dataclass(slots=True)
class Cache:
    """Subjects and child Jobs by key; every method may be called from any thread."""

    _subjects: dict[Key, Packed] = field(default_factory=dict)
    _jobs: dict[Key, dict[str, ChildJob]] = field(default_factory=dict)
    _notes: dict[Key, Note] = field(default_factory=dict)
    _readers: dict[Key, set[Key]] = field(default_factory=dict)
    _stores: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def subject(self, key: Key) -> Subject | None:
        """The custom resource; None where there is none."""
        with self._lock:
            kept = self._subjects.get(key)
        return kept.subject() if kept else None

    def jobs(self, key: Key, *, owner: str) -> tuple[ChildJob, ...]:
        """The batch Jobs of that custom resource."""
        with self._lock:
            found = tuple(self._jobs.get(key, {}).values())
        return tuple(job for job in found if job.owner == owner)

    def note(self, key: Key) -> Note:
        """What is remembered of the job; the same value every time."""
        with self._lock:
            note = self._notes.setdefault(key, Note())
        if note.until and time.monotonic() >= note.until:
            note.refused, note.conflict, note.until = "", "", 0.0
        return note

    def put(self, subject: Subject) -> bool:
        """Whether the subject is news: not older than what is known, and not the same."""
        packed = Packed.of(subject)
        with self._lock:
            if not self._newer(subject):
                return False
            kept = self._subjects.get(subject.key)
            if kept and kept.head.uid != subject.uid:
                self._notes.pop(subject.key, None)
            self._subjects[subject.key] = packed
            for key in referring.keys(subject):
                self._readers.setdefault(key, set()).add(subject.key)
            return True

    def newer(self, subject: Subject) -> bool:
        """Whether the subject would be news."""
        with self._lock:
            return self._newer(subject)

    def put_job(self, key: Key, job: ChildJob) -> bool:
        """Whether the batch Job is news: not older than what is known, and not the same."""
        with self._lock:
            known = self._jobs.setdefault(key, {})
            old = known.get(job.uid)
            if old is not None and job.version <= old.version:
                return False
            known[job.uid] = job
            return job != old

    def newer_job(self, key: Key, job: ChildJob) -> bool:
        """Whether the batch Job would be news."""
        with self._lock:
            old = self._jobs.get(key, {}).get(job.uid)
            return old is None or (job.version > old.version and job != old)

    def drop(self, key: Key, *, uid: str) -> bool:
        """Whether the custom resource was known, which is forgotten now."""
        with self._lock:
            old = self._subjects.get(key)
            if old is None or old.head.uid != uid:
                return False
            del self._subjects[key]
            self._notes.pop(key, None)
            return True

    def drop_job(self, key: Key, *, uid: str) -> bool:
        """Whether the batch Job was known, which is forgotten now."""
        with self._lock:
            known = self._jobs.get(key, {})
            found = known.pop(uid, None)
            if not known:
                self._jobs.pop(key, None)
            return found is not None

    def mark_deleting(self, key: Key, *, uid: str) -> None:
        """The batch Job is on its way out; one that a watch has seen go stays gone."""
        with self._lock:
            known = self._jobs.get(key, {})
            if uid in known:
                known[uid] = replace(known[uid], deleting=True)

    def has_store(self, namespace: str) -> bool:
        """Whether the namespace is known to have its store."""
        return namespace in self._stores

    def add_store(self, namespace: str) -> None:
        """The namespace has its store."""
        with self._lock:
            self._stores.add(namespace)

    def keys(self) -> tuple[Key, ...]:
        """Every job that is known."""
        with self._lock:
            return tuple(self._subjects)

    def subjects(self) -> Iterator[Subject]:
        """Every custom resource that is known, one after the other."""
        with self._lock:
            kept = tuple(self._subjects.values())
        return (packed.subject() for packed in kept)

    def heads(self) -> tuple[Subject, ...]:
        """Every custom resource that is known, without spec and status."""
        with self._lock:
            return tuple(packed.head for packed in self._subjects.values())

    def oldest_report(self) -> float:
        """Seconds since the last report of the job that has been silent for longest; 0: none is."""
        with self._lock:
            silent = [note.silent for note in self._notes.values() if note.silent]
        return time.monotonic() - min(silent) if silent else 0.0

    def readers(self, key: Key) -> tuple[Key, ...]:
        """Jobs that have read or will read what that job makes; some may be gone."""
        with self._lock:
            return tuple(self._readers.get(key, ()))

    def batches(self) -> tuple[tuple[Key, str], ...]:
        """Key and UID of every batch Job that is known."""
        with self._lock:
            return tuple((key, uid) for key, jobs in self._jobs.items() for uid in jobs)

    def _newer(self, subject: Subject) -> bool:
        kept = self._subjects.get(subject.key)
        old = kept.head if kept else None
        return old is None or old.uid != subject.uid or subject.version > old.version
