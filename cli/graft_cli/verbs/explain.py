"""Prints the Plan of a job: its stages, their programs, processes, environment and budgets.

The same Plan makes processes on this machine and pods in a cluster. Nothing is started.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from graft_api.plan import Plan
from graft_cli import jobfile, output

EXAMPLE = """\
examples:
  graft explain job.yaml
  graft explain job.yaml --set workers.desired=2 -o json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft explain`."""
    jobfile.add_arguments(parser)
    output.add_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints the Plan."""
    request = jobfile.read(arguments.file, settings=arguments.set)
    output.write(explained(request.plan), form=arguments.output)
    return 0


def explained(plan: Plan) -> dict[str, Any]:
    """The Plan as plain data, with its digest and with the resolved job unfolded at the end."""
    stages = [_filled(asdict(stage)) for stage in plan.stages]
    return {
        "kind": plan.kind,
        "name": plan.name,
        "digest": plan.digest(),
        "stages": stages,
        "job": plan.resolved(),
    }


def _filled(value: Any) -> Any:
    """Without what is empty, and with lists, which YAML writes plainly, for tuples."""
    if isinstance(value, dict):
        return {k: _filled(v) for k, v in value.items() if v not in ("", (), [], None)}
    if isinstance(value, list | tuple):
        return [_filled(item) for item in value]
    return value
