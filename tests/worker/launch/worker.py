"""Run as a program by the launcher under test: one action for each rank, then its last words.

exit:<code>      waits for all workers, then ends with the code
kill             waits for all workers, then is killed
data             waits for all workers, then fails with a DataError
wait             works until it is asked to stop, then ends with 75
full             works until it is asked to stop, then fails with a StoreError
save             works until another worker has ended, then saves and ends with 75
stay             works on when it is asked to stop
first:<code>     ends with the code at its first start, with 0 at the second
step:<code>      finishes a step, then ends with the code
snatched:<n>     finishes a step, then is killed at its first n starts, later ends with 0
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import psutil

from graft_api.errors import DataError, Stopped, StoreError
from graft_worker.report.board import Board, Pulse
from graft_worker.run import lifeline
from graft_worker.run.guard import guarded
from tests.worker.waiting import until


def main(environ: Mapping[str, str]) -> int:
    folder, rank = Path(environ["FOLDER"]), int(environ["RANK"])
    with (folder / f"starts-{rank}").open("a") as file:
        file.write(f"{os.getpid()}\n")
    until(lambda: len(list(folder.glob("starts-*"))) == int(environ["WORLD_SIZE"]))
    action, _, code = environ["ACTIONS"].split()[rank].partition(":")
    if action in ("step", "snatched"):
        board = Board.open(Path(environ[lifeline.FOLDER]) / lifeline.BOARD)
        board.beat(int(environ["LOCAL_RANK"]), Pulse(step=3))
    if action == "snatched":
        return _snatched(folder / f"starts-{rank}", times=int(code))
    return int(ACTIONS[action](folder) or code or 0)


def _kill(_: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _data(_: Path) -> None:
    raise DataError("train.tsv:3: no label", hint="give it one")


def _wait(_: Path) -> None:
    threading.Event().wait()


def _stay(folder: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (folder / "working").touch()
    _wait(folder)


def _snatched(own: Path, *, times: int) -> int:
    if len(own.read_text().split()) <= times:
        _kill(own)
    return 0


def _full(folder: Path) -> None:
    try:
        (folder / "working").touch()
        _wait(folder)
    except Stopped:
        raise StoreError("no space left") from None


def _save(folder: Path) -> int:
    until(lambda: len(starts(folder, alive=True)) == 1)
    (folder / "saved").touch()
    return 75


def _first(folder: Path) -> None:
    if len(starts(folder)) > int(os.environ["WORLD_SIZE"]):
        sys.exit(0)


def starts(folder: Path, *, alive: bool = False) -> list[int]:
    """Process ids of all workers that were started."""
    found = [int(line) for path in folder.glob("starts-*") for line in path.read_text().split()]
    return [process for process in found if _lives(process)] if alive else found


def _lives(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


ACTIONS = {
    "exit": lambda _: None,
    "kill": _kill,
    "data": _data,
    "wait": _wait,
    "full": _full,
    "save": _save,
    "stay": _stay,
    "first": _first,
    "step": lambda _: None,
}


if __name__ == "__main__":
    sys.exit(guarded(lambda: main, dict(os.environ)))
