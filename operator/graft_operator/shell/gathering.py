"""One job as it is now: from the cache where that is enough, from the server where it is not."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

from graft_api.vocabulary import Label
from graft_operator import metrics
from graft_operator.cluster import reading
from graft_operator.cluster.requests import Ref, get
from graft_operator.cluster.sending import Sender
from graft_operator.cluster.servers import Servers
from graft_operator.cluster.workers import SilentError, Workers
from graft_operator.observed import ChildJob, Observed, Pod, Subject, memory
from graft_operator.policies import referring
from graft_operator.policies.finishing import finished
from graft_operator.settings import Settings
from graft_operator.shell.cache import Cache, Note, Sight
from graft_operator.shell.crowd import Crowd, Want
from graft_operator.shell.keys import Key
from graft_operator.shell.serving import ServingGatherer

PULLING_SHARE = 4
YOUNG = timedelta(seconds=3)  # of a Job whose pods are only being made; more among many jobs
SIGHT_SECONDS = 60.0  # how long ready workers are taken for unchanged while their Job is
SILENCE_SECONDS = 30.0  # a worker that saves or evaluates may be slow to answer
SERVE = "ServeDeployment"
COMPLAINTS = ("FailedCreate",)


class Gatherer:
    """Makes the observed state of a job."""

    def __init__(self, cache: Cache, sender: Sender, workers: Workers, settings: Settings) -> None:
        self._cache = cache
        self._sender = sender
        self._workers = workers
        self._settings = settings
        self._crowd = Crowd()
        servers = Servers(threads=settings.threads)
        self._serving = ServingGatherer(cache, sender, servers, settings)
        # Workers that cannot be reached cost seconds each; most threads are never theirs.
        self._pulls = threading.BoundedSemaphore(max(1, settings.threads // PULLING_SHARE))

    def forget(self, key: Key) -> None:
        """The job is gone."""
        self._crowd.pause(key, "nothing")

    def observe(self, subject: Subject) -> Observed:
        """Jobs, pods, the newest report and what stands in the way.

        Raises:
            UnreachableError: the server does not answer.
        """
        if subject.kind == SERVE:
            return self._serving.observe(subject)
        note = self._cache.note(subject.key)
        jobs = self._cache.jobs(subject.key, owner=subject.uid)
        newest = _newest(jobs)
        pause = timedelta(seconds=self._crowd.pause(subject.key, _want(subject, newest)))
        young = max(YOUNG, pause)
        pods = self._seen(subject, jobs, note, young=young)
        if newest is not None and newest.role == "worker":
            self._pull_in_turn(note, newest, pods)
        current = note.report is not None and newest is not None
        return Observed(
            jobs=jobs,
            pods=pods,
            report=note.report if current else None,
            report_error=note.report_error,
            problems=self._problems(newest, pods, subject, young=young) if newest else (),
            store_known=self._store_known(subject.namespace),
            refused=note.refused,
            conflict=note.conflict,
            referred=referring.referred(subject, self._cache.subject),
            circle=referring.circle(subject, self._cache.subject),
            pause=pause,
        )

    def _seen(
        self, subject: Subject, jobs: tuple[ChildJob, ...], note: Note, *, young: timedelta
    ) -> tuple[Pod, ...]:
        """The pods, from the server only where they may matter and may have changed."""
        if not _look(subject, jobs, note, young=young):
            return ()
        kept, now = note.sight, time.monotonic()
        if kept and kept.jobs == jobs and now - kept.at < SIGHT_SECONDS:
            return kept.pods
        pods = self._pods(subject)
        ready = bool(pods) and all(p.ready and p.role == "worker" for p in pods)
        stays = ready and _calm(subject, jobs)
        note.sight = Sight(jobs=jobs, pods=pods, at=now) if stays else None
        return pods

    def _pods(self, subject: Subject) -> tuple[Pod, ...]:
        selector = f"{Label.UID}={subject.uid}"
        where = Ref(kind="Pod", namespace=subject.namespace)
        return tuple(map(reading.pod, self._sender.items(where, selector=selector)))

    def _pull_in_turn(self, note: Note, job: ChildJob, pods: tuple[Pod, ...]) -> None:
        if self._pulls.acquire(blocking=False):
            try:
                self._pull(note, job, pods)
            finally:
                self._pulls.release()

    def _pull(self, note: Note, job: ChildJob, pods: tuple[Pod, ...]) -> None:
        """Asks one ready worker how far it is; any of them knows.

        The one that answered last comes first: one on a node that has gone costs a time-out.
        """
        pause = self._settings.progress_seconds / 2
        if not job.ready or job.over or time.monotonic() - note.pulled < pause:
            return
        ready = [p for p in pods if (p.role, p.attempt) == ("worker", job.attempt) and p.ready]
        ready.sort(key=lambda p: (p.address != note.speaker, p.index))
        for pod in ready[:2]:
            try:
                note.report = self._workers.progress(pod.address)
            except SilentError as error:
                metrics.PROGRESS_PULLS.labels("failed").inc()
                note.silent = note.silent or time.monotonic()
                if time.monotonic() - note.silent >= SILENCE_SECONDS:
                    note.report_error = str(error)
                continue
            note.report_error, note.silent, note.pulled = "", 0.0, time.monotonic()
            note.speaker = pod.address
            metrics.PROGRESS_PULLS.labels("ok").inc()
            return

    def _problems(
        self, job: ChildJob, pods: tuple[Pod, ...], subject: Subject, *, young: timedelta
    ) -> tuple[str, ...]:
        """Why the Job controller cannot make pods, in its own words."""
        mine = [p for p in pods if (p.role, p.attempt) == (job.role, job.attempt)]
        if job.over or job.active or mine or datetime.now(UTC) - job.created < young:
            return ()
        where = Ref(kind="CoreEvent", namespace=subject.namespace)
        query = {"fieldSelector": f"involvedObject.uid={job.uid}"}
        answer = self._sender.send(get(where, query=query))
        items = answer.json().get("items") or [] if answer.ok else []
        told = [item for item in items if item.get("reason") in COMPLAINTS]
        told.sort(key=lambda item: item.get("lastTimestamp") or "", reverse=True)
        return tuple(item.get("message", "") for item in told)

    def _store_known(self, namespace: str) -> bool:
        wanted = self._settings.store_create and not self._settings.store_uri
        return not wanted or self._cache.has_store(namespace)


def _newest(jobs: tuple[ChildJob, ...]) -> ChildJob | None:
    return max(jobs, key=lambda job: (job.attempt, job.role == "worker"), default=None)


def _calm(subject: Subject, jobs: tuple[ChildJob, ...]) -> bool:
    """Whether the pods of the attempt that is due are as they should be, as their Job says."""
    newest = _newest(jobs)
    return newest is not None and newest.calm and newest.attempt == memory(subject).attempt


def _want(subject: Subject, newest: ChildJob | None) -> Want:
    """What the job will be looked at for until something happens to it."""
    if finished(memory(subject)) or (subject.spec.get("run") or {}).get("suspend"):
        return "nothing"
    if newest is not None and newest.role == "worker" and newest.ready and not newest.over:
        return "progress"
    return "nothing" if _calm(subject, (newest,) if newest else ()) else "pods"


def _look(subject: Subject, jobs: tuple[ChildJob, ...], note: Note, *, young: timedelta) -> bool:
    """Whether the pods may matter.

    Not while a fresh Job's pods are only being made, and not while they read the data in peace or
    wait in a queue: only of workers that train something is asked.
    """
    if finished(memory(subject)):
        leftover, note.leftover = note.leftover, False
        return leftover or any(not job.over for job in jobs)
    if _calm(subject, jobs) and all(job.role != "worker" or job.suspended for job in jobs):
        return False
    now = datetime.now(UTC)
    busy = (job.over or job.failed or job.terminating or now - job.created >= young for job in jobs)
    return any(busy) or bool(subject.status and not jobs)
