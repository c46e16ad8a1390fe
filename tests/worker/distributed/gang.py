"""Runs a function in several real processes that form one gloo group.

They are forked from one process that has imported what takes long and has computed nothing.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pickle
import tempfile
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from torch.distributed import TCPStore

PATIENCE = timedelta(seconds=60)
HANGS = 300.0  # seconds after which a process says where it is and ends
IMPORTED = (
    "pytest",
    "torch._dynamo",
    "torch.distributed.fsdp",
    "graft_worker.train.loop",
    "graft_worker.transfer.finetune",
    "graft_api.training",
)


@dataclass(frozen=True)
class Member:
    """One rank of a gang, told by the variables that torchrun would set."""

    rank: int
    world: int
    port: int
    folder: Path

    def environ(self) -> dict[str, str]:
        return {
            "RANK": str(self.rank),
            "LOCAL_RANK": str(self.rank),
            "WORLD_SIZE": str(self.world),
            "LOCAL_WORLD_SIZE": str(self.world),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(self.port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",  # the store is the test's own, on a free port
            "OMP_NUM_THREADS": "1",
        }

    def result(self) -> Path:
        return self.folder / f"{self.rank}.pickle"

    def __call__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        # Open to the end of the process: a crash while it ends is told as well.
        stuck = self.result().with_suffix(".error").open("w")
        faulthandler.enable(stuck)
        faulthandler.dump_traceback_later(HANGS, exit=True, file=stuck)
        self._work(function, arguments)
        faulthandler.cancel_dump_traceback_later()

    def _work(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        from graft_worker.distributed.process import join

        os.environ.update(self.environ())
        try:
            process = join(os.environ, patience=PATIENCE)
            outcome = function(process, *arguments)
            self.result().write_bytes(pickle.dumps(outcome))
            process.close()
        except BaseException:
            self.result().with_suffix(".error").write_text(traceback.format_exc())
            os._exit(1)  # an orderly exit would wait for the others, who wait for this one


def run(world: int, function: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
    """What `function(process, *arguments)` returns in each of `world` processes, by rank.

    The function stands at the top of an importable module; results are pickled.
    """
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    with tempfile.TemporaryDirectory() as folder:
        members = [Member(r, world, store.port, Path(folder)) for r in range(world)]
        _complete(members, function, arguments)
        return tuple(pickle.loads(m.result().read_bytes()) for m in members)


def _complete(members: list[Member], function: Callable[..., Any], arguments: Any) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*IMPORTED])
    running = [context.Process(target=m, args=(function, arguments)) for m in members]
    for process in running:
        process.start()
    try:
        while alive := [process.sentinel for process in running if process.is_alive()]:
            wait(alive)
            if any(p.exitcode not in (None, 0) for p in running):
                raise AssertionError(_errors(members, [p.exitcode for p in running]))
    finally:
        for process in running:
            process.kill()
            process.join()
    if any(codes := [p.exitcode for p in running]):
        raise AssertionError(_errors(members, codes))


def _errors(members: Iterable[Member], codes: list[int | None]) -> str:
    files = [m.result().with_suffix(".error") for m in members]
    words = "\n".join(f.read_text() for f in files if f.exists()).strip()
    return words or f"a process ended without a word: {codes}, by rank"
