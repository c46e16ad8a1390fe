"""Where every thread of a worker stands, written to a file when its launcher asks for it."""

from __future__ import annotations

import faulthandler
import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from graft_api.vocabulary import Env, StoreFile

ASK = signal.SIGUSR1
SECONDS = 3.0  # for all workers to answer
QUIET = 0.2  # a file that has not grown for so long is complete


def listen(folder: Path, rank: int) -> None:
    """From now on `ASK` makes this process write its stacks, even when the interpreter is stuck."""
    file = (folder / f"stacks-{rank}").open("w")
    faulthandler.register(ASK, file=file, all_threads=True)


def gather(processes: Mapping[int, int], *, folder: Path, to: Path) -> Path:
    """The folder with the stacks of all workers, rank by process id; stopped ones are woken."""
    for process in processes:
        for number in (ASK, signal.SIGCONT):
            with suppress(ProcessLookupError):
                os.kill(process, number)
    files = [folder / f"stacks-{rank}" for rank in processes.values()]
    _await(files)
    to.mkdir(parents=True, exist_ok=True)
    for rank, file in zip(processes.values(), files, strict=True):
        with suppress(FileNotFoundError):
            place(to, rank).write_bytes(file.read_bytes())
    return to


def write(to: Path, rank: int) -> None:
    """The stacks of this process, from within."""
    to.mkdir(parents=True, exist_ok=True)
    with place(to, rank).open("w") as file:
        faulthandler.dump_traceback(file=file, all_threads=True)


def place(folder: Path, rank: int) -> Path:
    """Where the stacks of a rank stand."""
    return folder / f"stacks-{socket.gethostname()}-{rank}.txt"


def home(environ: Mapping[str, str], *, otherwise: Path) -> Path:
    """The folder for the stacks of this attempt."""
    job = environ.get(Env.JOB_DIR)
    if not job:
        return otherwise
    return Path(job) / StoreFile.LOGS / f"attempt-{environ.get(Env.ATTEMPT, '1')}"


def _await(files: list[Path]) -> None:
    deadline = time.monotonic() + SECONDS
    sizes: list[int] = []
    while time.monotonic() < deadline:
        before, sizes = sizes, [file.stat().st_size if file.exists() else 0 for file in files]
        if all(sizes) and sizes == before:
            return
        time.sleep(QUIET)
