"""Checks a job file, then reads its data and says what they hold. Nothing is trained or written."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from graft_api.vocabulary import Env
from graft_cli import jobfile, screen

if TYPE_CHECKING:
    from graft_api.kinds import Job

EXAMPLE = """\
examples:
  graft validate job.yaml
  graft validate job.yaml --no-data

exit codes: 0 the job can run, 2 something is wrong with the file or the data
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft validate`."""
    jobfile.add_arguments(parser)
    parser.add_argument(
        "--data",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="read the data as well (default); --no-data checks the file alone",
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the report of the data; a mistake is an error of `main`."""
    request = jobfile.read(arguments.file, settings=arguments.set)
    if arguments.data:
        folder = os.environ.get(Env.ZOO)
        lines = report(request.job, zoo=Path(folder) if folder else None)
        print(screen.harmless("\n".join(lines)))
    screen.say(f"graft: {request.plan.kind} {request.plan.name} is valid")
    return 0


def report(job: Job, *, zoo: Path | None = None) -> tuple[str, ...]:
    """What the job's data hold, as lines of text. `zoo` is the folder of GRAFT_ZOO.

    Raises:
        ConfigError: what the job learns from is not there, or does not fit it.
        DataError: everything that is wrong with the data, with file:line.
    """
    from graft_worker.data.inspect import describe, inspect
    from graft_worker.data.selections import selections
    from graft_worker.run.kinds import preparing

    assert job.kind != "ServeDeployment"  # refused with its plan
    asked, spec = preparing.of(job, zoo=zoo), job.spec
    splits = selections(spec.data, seed=spec.training.seed)
    return describe(inspect(splits, asked.roles(), wish=asked.wish()))
