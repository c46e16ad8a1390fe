"""Run as a program: for every line read, starts a process that saves checkpoints without end.

The process goes on from the newest checkpoint. Torch is imported once, then processes are forked.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from graft_worker.checkpoint.store import Checkpoints

ELEMENTS = 4 * 2**20  # 16 MiB: long enough to be killed at any byte


def write_without_end(root: Path) -> None:
    checkpoints = Checkpoints(root, keep=2)
    newest = checkpoints.newest()
    step = newest.step if newest else 0
    while True:
        step += 1
        checkpoints.save({"weight": torch.full((ELEMENTS,), float(step))}, {"at": step}, step=step)


def main(root: Path) -> None:
    for _ in sys.stdin:
        if (writer := os.fork()) == 0:
            write_without_end(root)
        sys.stdout.write(f"{writer}\n")
        sys.stdout.flush()
        os.waitpid(writer, 0)
        sys.stdout.write("gone\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
