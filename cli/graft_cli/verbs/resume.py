"""Goes on with a job that `graft stop` stopped, from its newest checkpoint."""

from __future__ import annotations

import argparse

from graft_cli import screen
from graft_cli.cluster import options

EXAMPLE = """\
examples:
  graft resume reviews
  graft resume transfer/reviews -n team-a

exit codes: 0 done, 2 it has ended already, 3 not found, 5 the API server does not answer,
6 not permitted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft resume`."""
    options.add_both(parser)


def run(arguments: argparse.Namespace) -> int:
    """Asks the operator to go on."""
    from graft_cli.cluster import api, naming, pausing, view

    cluster = api.open_api(arguments)
    found = naming.find(cluster, arguments.job)
    if not pausing.suspend(cluster, found, wanted=False):
        print(screen.harmless(f"{found.label} unchanged"))
        screen.say(f"graft: it is not stopped; `graft why {found.ref.name}` says how it stands")
        return 0
    print(screen.harmless(f"{found.label} resuming"))
    step = (view.status(found.raw).get("checkpoint") or {}).get("step")
    start = "from the start: it has no checkpoint" if step is None else f"from step {step}"
    screen.say(f"graft: it goes on {start}; `graft watch {found.ref.name}` follows it")
    return 0
