"""Run as a program: for every line of JSON, a launcher with that environment.

Answers with the launcher's process id and, when it has ended, with its exit code. Torch is imported
once, then launchers are forked. With NURSERY=1 their workers come from a nursery.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from graft_worker.run import gang
from graft_worker.run.guard import Program, guarded
from graft_worker.run.nursery import Nursery
from tests.worker.launch import worker

WORKER = Path(__file__).with_name("worker.py")


def launch(environ: dict[str, str]) -> int:
    os.environ.update(environ)
    return guarded(lambda: loaded(environ), dict(os.environ))


def loaded(environ: dict[str, str]) -> Program:
    nursery = Nursery.found(work, preload=lambda: None) if environ.get("NURSERY") else None
    return partial(gang.run, program=(str(WORKER),), nursery=nursery)


def work(environ: Mapping[str, str]) -> int:
    return guarded(lambda: worker.main, environ)


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        if (launcher := os.fork()) == 0:
            os._exit(launch(json.loads(line)))
        say(launcher)
        say(os.waitstatus_to_exitcode(os.waitpid(launcher, 0)[1]))


if __name__ == "__main__":
    main()
