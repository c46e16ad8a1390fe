"""Stops a job in a cluster: it saves a checkpoint, then its pods are released.

`graft resume` goes on from that checkpoint. Nothing is lost and nothing is removed.
"""

from __future__ import annotations

import argparse

from graft_cli import screen
from graft_cli.cluster import options

EXAMPLE = """\
examples:
  graft stop reviews
  graft stop transfer/reviews -n team-a

exit codes: 0 done, 2 it has ended already, 3 not found, 5 the API server does not answer,
6 not permitted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft stop`."""
    options.add_both(parser)


def run(arguments: argparse.Namespace) -> int:
    """Asks the operator to suspend the job."""
    from graft_cli.cluster import api, naming, pausing

    cluster = api.open_api(arguments)
    found = naming.find(cluster, arguments.job)
    name = found.ref.name
    if pausing.suspend(cluster, found, wanted=True):
        print(screen.harmless(f"{found.label} stopping"))
        screen.say(
            f"graft: a checkpoint is saved first, then its pods go; `graft resume {name}` goes on"
        )
    else:
        print(screen.harmless(f"{found.label} unchanged"))
        screen.say(f"graft: it was stopped before; `graft resume {name}` goes on")
    return 0
