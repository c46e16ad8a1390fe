"""Shows one job or deployment: what was asked for, conditions in time, progress, pods, events."""

from __future__ import annotations

import argparse

from graft_cli import output, screen
from graft_cli.cluster import options

EXAMPLE = """\
examples:
  graft show reviews
  graft show transfer/reviews -n team-a -o yaml
  graft show serve/reviews

exit codes: 0 done, 3 not found, 5 the API server does not answer, 6 not permitted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft show`."""
    options.add_both(parser)
    output.add_argument(parser, default="text", forms=("text", "json", "yaml"))


def run(arguments: argparse.Namespace) -> int:
    """Prints the job."""
    from graft_cli.cluster import api, gathering, naming, sheet

    cluster = api.open_api(arguments)
    found = naming.find(cluster, arguments.job, naming.ALL)
    if arguments.output != "text":
        found.raw["metadata"].pop("managedFields", None)
        output.write(found.raw, form=arguments.output)
        return 0
    gathered = gathering.gather(cluster, found)
    print(screen.harmless("\n".join(sheet.sheet(gathered.facts))))
    for hidden in gathered.hidden:
        screen.say(f"graft: not looked at: {hidden}")
    return 0
