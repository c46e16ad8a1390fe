"""Lists the jobs of a namespace or of the cluster: phase, workers, progress, metric, time left.

Deployments follow in a table of their own: state, pods that answer, model and its digest.
"""

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
  graft ls serve

exit codes: 0 done, 5 the API server does not answer, 6 not permitted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft ls`."""
    parser.add_argument(
        "kind", metavar="KIND", nargs="?", help="pretrain, transfer, distill or serve"
    )
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    options.add_cluster(parser)
    output.add_argument(parser, default="table", forms=("table", "json", "yaml", "name"))


def run(arguments: argparse.Namespace) -> int:
    """Prints the jobs."""
    from graft_cli.cluster import api, jobs, naming

    wish = arguments.kind
    kinds = (naming.kind_of(wish, naming.ALL),) if wish else naming.ALL
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
    from graft_cli.cluster import served, view

    jobs = [raw for raw in found if not served.is_served(raw)]
    answering = [raw for raw in found if served.is_served(raw)]
    rows = [view.HEAD, *(view.row(job, now) for job in jobs)]
    more = [served.HEAD, *(served.row(raw, now) for raw in answering)]
    if everywhere:
        rows, more = _placed(rows, jobs), _placed(more, answering)
    lines = view.table(rows) if jobs else []
    return [*lines, *([""] if jobs and answering else []), *(view.table(more) if answering else [])]


def _placed(rows: list[tuple[str, ...]], found: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    spaces = ("NAMESPACE", *(raw["metadata"]["namespace"] for raw in found))
    return [(space, *row) for space, row in zip(spaces, rows, strict=True)]
