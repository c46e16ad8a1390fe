"""Prints what the workers of a job wrote, merged by time; [w1] is worker 1, [p0] prepares data.

Without other wishes: the newest attempt, and training as soon as it has begun.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from graft_api.errors import ConfigError
from graft_api.vocabulary import Role
from graft_cli import screen
from graft_cli.cluster import options
from graft_cli.endings import EndedError, Ending

EXAMPLE = """\
examples:
  graft logs reviews
  graft logs reviews --worker 1 --tail 20 --follow
  graft logs reviews --failed

exit codes: 0 done, 3 no job or no log, 5 the API server does not answer, 6 not permitted,
130 interrupted and the job goes on
"""
STAGES = {"prepare": Role.PREPARE, "train": Role.WORKER}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft logs`."""
    options.add_job(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on as lines are written")
    parser.add_argument("--worker", type=int, metavar="N", help="of this worker alone")
    parser.add_argument("--stage", choices=tuple(STAGES), help="of this stage")
    parser.add_argument("--attempt", type=int, metavar="N", help="of this attempt")
    parser.add_argument("--tail", type=int, metavar="N", help="the newest N lines of each worker")
    parser.add_argument(
        "--failed", action="store_true", help="of the workers that failed, newest failure first"
    )
    options.add_cluster(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints the logs."""
    from graft_cli.cluster import api, children, following, logs, naming
    from graft_cli.cluster.tailing import Tail

    if arguments.failed and arguments.follow:
        raise ConfigError("--failed has no effect with --follow", hint="leave one of them out")
    cluster = api.open_api(arguments)
    found = naming.find(cluster, arguments.job)
    role = STAGES[arguments.stage] if arguments.stage else None
    wish = logs.Wish(
        worker=arguments.worker, role=role, attempt=arguments.attempt, tail=arguments.tail
    )
    pods = children.pods(cluster, found)
    if arguments.follow:
        lines: Iterable[str] = Tail(cluster, found, wish).lines(tuple(logs.chosen(pods, wish)))
    elif arguments.failed:
        lines = logs.of_failed(cluster, pods, wish)
    else:
        lines = logs.merged(cluster, logs.chosen(pods, wish), wish)
    return following.untouched(
        found, lambda: write(lines, name=found.ref.name, failed=arguments.failed)
    )


def write(lines: Iterable[str], *, name: str, failed: bool) -> int:
    """Prints the lines as they come.

    Raises:
        EndedError: there was none.
    """
    any_line = False
    for line in lines:
        any_line = True
        print(screen.harmless(line), flush=True)
    if any_line:
        return Ending.DONE
    raise EndedError(
        "no worker failed" if failed else "no worker has written anything yet",
        hint=f"`graft why {name}` says how the job stands",
        code=Ending.NOT_FOUND,
    )
