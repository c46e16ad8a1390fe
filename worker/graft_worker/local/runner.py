"""A Plan run on this machine: one stage after the other, watched, stopped and judged."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from graft_api.errors import ConfigError
from graft_api.plan import Plan, Stage
from graft_api.progress import ProgressReport, Termination
from graft_api.vocabulary import StoreFile

from . import outcome, status, store
from .events import Began, Ended, Event, Progressed, Stop, Stopping
from .lock import Lock, locked
from .processes import GRACE_SECONDS, Place, Running, start, threads_by_user

POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """This machine as a run sees it. `clock` gives the time with its zone."""

    store: Path
    environ: Mapping[str, str]
    clock: Callable[[], datetime]
    metrics_port: int = 0
    grace_seconds: float = GRACE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalResult:
    """How a local run ended; `stage` is the last that worked, `log` its output."""

    kind: str
    name: str
    folder: Path
    attempt: int
    stage: str
    log: Path
    termination: Termination
    progress: ProgressReport | None
    status: dict[str, Any]  # as a job's in a cluster
    already: bool = False  # the job had been complete before

    @property
    def state(self) -> Literal["Complete", "Stopped", "Failed"]:
        """What became of the job."""
        return self.termination.state


def run(
    plan: Plan, *, site: Site, on_event: Callable[[Event], None], stop: Stop | None = None
) -> LocalResult:
    """The job's stages in order until the last is done, one fails, or `stop` is asked.

    A job that is complete is not run again; one with checkpoints goes on from the newest.

    Raises:
        StoreError: the store is unfit, or the job's folder is another job's or in use.
        ConfigError: the Plan needs what only a cluster can give, or the port is taken.
    """
    store.preflight(site.store)
    _check_port(site.metrics_port)
    folder = store.job_folder(site.store, kind=plan.kind, name=plan.name)
    with locked(folder) as lock:
        store.claim(folder, job=plan.job)
        if outcome.complete(folder):
            return _already(plan, folder=folder, site=site)
        place = _place(plan, folder=folder, site=site)
        return _Attempt(plan, place, site, lock, on_event, stop or Stop()).run()


@dataclass(slots=True)
class _Attempt:
    plan: Plan
    place: Place
    site: Site
    lock: Lock
    on_event: Callable[[Event], None]
    stop: Stop

    def run(self) -> LocalResult:
        started = self.site.clock()
        job = self.plan.resolved()
        for stage in self.plan.stages:
            last = self._stage(threads_by_user(stage, job=job))
            if last.state != "Complete" or self.stop.asked:
                break
        if last.state == "Complete" and not outcome.complete(self.place.folder):
            last = _unfinished(stage.name, stopped=bool(self.stop.asked))
        result = _result(self.plan, self.place, self.site, last=last, at=(stage.name, started))
        status.keep(self.place.folder, result.status)
        return result

    def _stage(self, stage: Stage) -> Termination:
        self.place.termination.unlink(missing_ok=True)
        resumed = _resumes(self.place.folder) if stage.name == "train" else None
        running = start(
            stage, place=self.place, environ=self.site.environ, lock=self.lock.descriptor
        )
        self.lock.note_worker(running.process.pid)
        self.on_event(Began(stage=stage.name, attempt=self.place.attempt, resumed=resumed))
        try:
            code = self._watch(running)
        finally:
            running.kill()
        self.on_event(Ended(stage=stage.name, exit_code=code))
        return outcome.termination(
            self.place, stage=stage.name, exit_code=code, stopping=bool(self.stop.asked)
        )

    def _watch(self, running: Running) -> int:
        seen: ProgressReport | None = None
        deadline: datetime | None = None
        while (code := running.wait(seconds=POLL_SECONDS)) is None:
            seen = self._report(running.stage, seen)
            if self.stop.asked and deadline is None:
                deadline = self.site.clock() + timedelta(seconds=self.site.grace_seconds)
                running.ask_to_stop()
                self.on_event(Stopping(stage=running.stage.name))
            if self.stop.asked > 1 or (deadline and self.site.clock() > deadline):
                running.kill()
        self._report(running.stage, seen)
        return code

    def _report(self, stage: Stage, seen: ProgressReport | None) -> ProgressReport | None:
        report = outcome.progress(self.place.folder)
        if report is None or report == seen or report.attempt != self.place.attempt:
            return seen
        self.on_event(Progressed(stage=stage.name, report=report))
        return report


def _place(plan: Plan, *, folder: Path, site: Site) -> Place:
    attempts = (folder / StoreFile.LOGS).glob("attempt-*")
    numbers = [int(a.name.removeprefix("attempt-")) for a in attempts if a.name[8:].isdigit()]
    return Place(
        store=site.store.absolute(),
        folder=folder.absolute(),
        uid=store.uid(plan.kind, plan.name),
        attempt=max(numbers, default=0) + 1,
        metrics_port=site.metrics_port,
    )


def _result(
    plan: Plan, place: Place, site: Site, *, last: Termination, at: tuple[str, datetime]
) -> LocalResult:
    stage, started = at
    progress = outcome.progress(place.folder)
    known = status.facts(place.folder, stage=stage, attempt=place.attempt, started=started)
    return LocalResult(
        kind=plan.kind,
        name=plan.name,
        folder=place.folder,
        attempt=place.attempt,
        stage=stage,
        log=place.log(stage),
        termination=last,
        progress=progress,
        status=status.status(plan, last, progress=progress, run=known, now=site.clock()),
    )


def _already(plan: Plan, *, folder: Path, site: Site) -> LocalResult:
    following = _place(plan, folder=folder, site=site)
    place = replace(following, attempt=following.attempt - 1)
    stage = plan.stages[-1].name
    last = outcome.termination(place, stage=stage, exit_code=0, stopping=False)
    result = _result(plan, place, site, last=last, at=(stage, site.clock()))
    return replace(result, status=status.kept(place.folder) or result.status, already=True)


def _resumes(folder: Path) -> int | None:
    report = outcome.progress(folder)
    return report.checkpoint_step if report else None


def _unfinished(stage: str, *, stopped: bool) -> Termination:
    if stopped:
        return Termination(state="Stopped")
    return Termination(
        state="Failed",
        message=f"stage {stage} ended without a result",
        hint="run the same command again; the end of its log says more",
    )


def _check_port(port: int) -> None:
    if not port:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise ConfigError(
                f"--metrics-port {port}: {error.strerror}",
                hint="name another port, or 0 for any free one",
            ) from None
