"""A stage of the Plan as processes of this machine: environment, log file, start and stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from graft_api.errors import ConfigError
from graft_api.plan import Stage, Variable
from graft_api.vocabulary import Env, StoreFile

from .store import unwritable

GRACE_SECONDS = 120.0  # a large model's checkpoint on a slow disk
THREADS = "OMP_NUM_THREADS"
LAUNCHED = ("GRAFT_LAUNCHER_PID", "GRAFT_LAUNCHER_FOLDER", "MASTER_ADDR", "MASTER_PORT")
RANKS = ("RANK", "LOCAL_RANK", "GROUP_RANK", "ROLE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
OF_A_GANG = frozenset((*LAUNCHED, *RANKS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a job's stages work: its store, its folder there, its lineage and attempt."""

    store: Path
    folder: Path
    uid: str
    attempt: int
    metrics_port: int = 0

    @property
    def logs(self) -> Path:
        """The folder of this attempt's logs."""
        return self.folder / StoreFile.LOGS / f"attempt-{self.attempt}"

    def log(self, stage: str) -> Path:
        """Where a stage's output goes."""
        return self.logs / f"{stage}.log"

    @property
    def stop_file(self) -> Path:
        """The file whose appearance asks this attempt to save and stop."""
        return self.logs / "stop"

    @property
    def termination(self) -> Path:
        """The file of a stage's last words."""
        return self.folder / StoreFile.TERMINATION


@dataclass(slots=True)
class Running:
    """A stage at work: one process, which may start others below it."""

    stage: Stage
    place: Place
    process: subprocess.Popen[bytes]

    def wait(self, *, seconds: float) -> int | None:
        """The exit code, negative for a signal, or None where it runs on after `seconds`."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None

    def ask_to_stop(self) -> None:
        """Asks the stage to save and to end with the reserved code; returns at once."""
        self.place.stop_file.touch()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the stage and everything below it; what it had not saved is lost."""
        # the launcher first, lest it starts again what is killed
        family = [psutil.Process(self.process.pid)] if self.process.poll() is None else []
        for member in [*family, *_descendants(family)]:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait()


def start(stage: Stage, *, place: Place, environ: Mapping[str, str], lock: int) -> Running:
    """The stage as a process of its own session that inherits the descriptor `lock`.

    Raises:
        ConfigError: the stage needs something that only a cluster can give.
        StoreError: its log cannot be written.
    """
    env = environment(stage, place=place, environ=environ)
    with _log(place.log(stage.name)) as log:
        process = subprocess.Popen(  # noqa: S603  (our own program, arguments from the Plan)
            command(stage),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
        )
    return Running(stage=stage, place=place, process=process)


def _log(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise unwritable(path, error) from None


def command(stage: Stage) -> tuple[str, ...]:
    """The stage's program run by the Python that runs this one."""
    program, *rest = stage.argv
    return (sys.executable if program == "python" else program, *rest)


def environment(stage: Stage, *, place: Place, environ: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, the Plan's over it, the contract with workers over both."""
    if stage.mounts:
        mount = stage.mounts[0]
        raise ConfigError(
            f"stage {stage.name} reads {mount.kind}://{mount.name}, which only a cluster can mount",
            hint="name a path of this machine instead",
        )
    world = stage.gang.desired * stage.gang.processes
    env = {THREADS: str(max(1, cores() // world))}
    env |= {name: value for name, value in environ.items() if not _foreign(name)}
    env |= dict(_value(variable, environ) for variable in stage.env)
    return env | _contract(place) | {"PET_NNODES": "1:1", "PET_NPROC_PER_NODE": str(world)}


def threads_by_user(stage: Stage, *, job: Mapping[str, Any]) -> Stage:
    """The stage without the threads that the planner counted for a pod, which this machine is not.

    What the job itself says in `workers.env` stays.
    """
    asked = {variable["name"] for variable in job["spec"].get("workers", {}).get("env", ())}
    kept = tuple(v for v in stage.env if v.name != THREADS or v.name in asked)
    return replace(stage, env=kept)


def cores() -> int:
    """Cores that this process may use; those of the machine where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _foreign(name: str) -> bool:
    """Whether the variable belongs to another gang that this process happens to be part of."""
    return name.startswith(("PET_", "TORCHELASTIC_")) or name in OF_A_GANG


def _contract(place: Place) -> dict[str, str]:
    return {
        Env.JOB_FILE: str(place.folder / StoreFile.JOB),
        Env.STORE: str(place.store),
        Env.JOB_DIR: str(place.folder),
        Env.JOB_UID: place.uid,
        Env.ATTEMPT: str(place.attempt),
        Env.METRICS_PORT: str(place.metrics_port),
        Env.STOP_FILE: str(place.stop_file),
        Env.TERMINATION_FILE: str(place.termination),
        Env.PARENT: str(os.getpid()),
    }


def _value(variable: Variable, environ: Mapping[str, str]) -> tuple[str, str]:
    if not variable.value_from:
        return variable.name, variable.value
    if variable.name in environ:
        return variable.name, environ[variable.name]
    raise ConfigError(
        f"workers.env: {variable.name} comes from a secret or config map of a cluster",
        hint=f"set {variable.name} in the environment of `graft run`",
    )


def _descendants(family: list[psutil.Process]) -> Iterator[psutil.Process]:
    for parent in family:
        with suppress(psutil.NoSuchProcess):
            yield from parent.children(recursive=True)
