"""Lists the jobs of a namespace or of the cluster: phase, workers, progress, metric, time left."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from graft_cli import output, screen
from graft_cli.cluster import options

EXAMPLE = """\
examples:
  graft ls
  graft ls -A
  graft ls transfer -n team-a -o json

exit codes: 0 done, 5 the API server does not answer, 6 not permitted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft ls`."""
    parser.add_argument("kind", metavar="KIND", nargs="?", help="pretrain, transfer or distill")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    options.add_cluster(parser)
    output.add_argument(parser, default="table", forms=("table", "json", "yaml", "name"))


def run(arguments: argparse.Namespace) -> int:
    """Prints the jobs."""
    from graft_cli.cluster import api, jobs, naming

    kinds = (naming.kind_of(arguments.kind),) if arguments.kind else naming.KINDS
    cluster = api.open_api(arguments)
    everywhere = arguments.all_namespaces
    found, now = jobs.jobs(cluster, kinds=kinds, everywhere=everywhere)
    if arguments.output in ("json", "yaml"):
        output.write({"apiVersion": "v1", "kind": "List", "items": found}, form=arguments.output)
        return 0
    if not found and arguments.output == "table":
        where = "in any namespace" if everywhere else f"in namespace {cluster.namespace}"
        screen.say(f"graft: no jobs {where}; `graft submit job.yaml` starts one")
        return 0
    lines = (
        _names(found) if arguments.output == "name" else _table(found, now, everywhere=everywhere)
    )
    print(screen.harmless("\n".join(lines)))
    return 0


def _names(found: list[dict[str, Any]]) -> list[str]:
    return [f"{job['kind'].lower()}/{job['metadata']['name']}" for job in found]


def _table(found: list[dict[str, Any]], now: datetime, *, everywhere: bool) -> list[str]:
    from graft_cli.cluster import view

    rows = [view.HEAD, *(view.row(job, now) for job in found)]
    if everywhere:
        spaces = ("NAMESPACE", *(job["metadata"]["namespace"] for job in found))
        rows = [(space, *row) for space, row in zip(spaces, rows, strict=True)]
    return view.table(rows)
