"""Removes a job from a cluster with its pods. Checkpoints and artefacts stay in the store."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from graft_api.errors import ConfigError
from graft_cli import screen
from graft_cli.cluster import options

if TYPE_CHECKING:
    from graft_cli.cluster.naming import Found

EXAMPLE = """\
examples:
  graft rm reviews
  graft rm transfer/reviews -n team-a --yes

exit codes: 0 done, 2 not confirmed, 3 not found, 5 the API server does not answer, 6 not permitted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft rm`."""
    options.add_both(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--checkpoints", action="store_true", help="not available in this version: they stay"
    )


def run(arguments: argparse.Namespace) -> int:
    """Removes the job when the person means it."""
    from graft_cli.cluster import api, naming
    from graft_operator.cluster.requests import delete

    if arguments.checkpoints:
        raise ConfigError(
            "--checkpoints: this version cannot remove checkpoints from a cluster's store",
            hint="remove the job without it, then its folder under jobs/ in the store",
        )
    cluster = api.open_api(arguments)
    found = naming.find(cluster, arguments.job)
    confirm(found, yes=arguments.yes)
    cluster.send(delete(found.ref, uid=found.raw["metadata"]["uid"]))
    print(screen.harmless(f"{found.label} removed"))
    screen.say("graft: its checkpoints and its artefact stay in the store")
    return 0


def confirm(found: Found, *, yes: bool) -> None:
    """Asks on a terminal; elsewhere --yes has to say it.

    Raises:
        ConfigError: the answer is no.
    """
    from graft_cli.cluster import view

    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("nobody is here to confirm the removal", hint="add --yes")
    state = view.phase(found.raw)
    question = f"remove {found.label} ({state}) from namespace {found.ref.namespace}? [y/N] "
    sys.stderr.write(screen.harmless(question))
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConfigError(f"{found.label} was not removed")
