"""`python -m graft_worker prepare|launch|train|rendezvous`: one program of the worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module

from graft_api.vocabulary import ExitCode
from graft_worker.run.guard import Program, guarded

PROGRAMS = {  # by name, their modules
    "prepare": "prepare",
    "launch": "launch",
    "train": "train",
    "rendezvous": "rendezvous_store",
}
USAGE = f"""usage: python -m graft_worker {{{",".join(PROGRAMS)}}}

Settings come from the environment and the file that GRAFT_JOB_FILE names;
`graft run` and the operator set both.
"""


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """The exit code; 64 where the arguments name no program."""
    if arguments in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return ExitCode.DONE
    if len(arguments) != 1 or arguments[0] not in PROGRAMS:
        sys.stderr.write(USAGE)
        return ExitCode.CONFIG
    return guarded(partial(_load, arguments[0], environ), environ)


def _load(name: str, environ: Mapping[str, str]) -> Program:
    module = import_module(f"graft_worker.run.{PROGRAMS[name]}")
    if name == "launch":
        return partial(module.main, nursery=module.nursery(environ))
    program: Program = module.main
    return program


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ)))
