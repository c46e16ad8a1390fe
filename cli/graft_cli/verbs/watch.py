"""Follows one job to its end, or all jobs of a namespace, as they change.

On a terminal a picture is redrawn in place; elsewhere there is a line for each turn.
"""

from __future__ import annotations

import argparse

from graft_api.errors import ConfigError
from graft_cli.cluster import options

EXAMPLE = """\
examples:
  graft watch reviews
  graft watch -A

exit codes, with a job: 0 complete, 1 failed, 3 not found or removed, 5 the API server does not
answer, 6 not permitted, 130 interrupted and the job goes on
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft watch`."""
    options.add_job(parser, optional=True)
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    options.add_cluster(parser)


def run(arguments: argparse.Namespace) -> int:
    """Follows; with a job its end is the exit code."""
    from graft_cli.cluster import api, crowd, following, naming

    if arguments.job and arguments.all_namespaces:
        raise ConfigError("-A has no effect with a job", hint="-n says where the job is")
    cluster = api.open_api(arguments)
    if not arguments.job:
        return crowd.follow(cluster, everywhere=arguments.all_namespaces)
    found = naming.find(cluster, arguments.job)
    return following.untouched(found, lambda: following.follow(cluster, found))
