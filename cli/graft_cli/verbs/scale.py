"""Changes the number of workers of a job in a cluster.

A job with `workers.max` takes workers in and lets them go while it trains; any other starts a new
attempt of the new size from its newest checkpoint.
"""

from __future__ import annotations

import argparse
from typing import Any

from graft_api.errors import ConfigError
from graft_cli import screen
from graft_cli.cluster import options

EXAMPLE = """\
examples:
  graft scale reviews 4
  kubectl scale transfer/reviews --replicas=4      # does the same

exit codes: 0 done, 2 more than workers.max, 3 not found, 5 the API server does not answer,
6 not permitted
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft scale`."""
    options.add_job(parser)
    parser.add_argument("workers", type=int, metavar="N", help="workers wanted")
    options.add_cluster(parser)


def run(arguments: argparse.Namespace) -> int:
    """Sets the wanted workers by the scale subresource."""
    from graft_cli.cluster import api, naming, pausing
    from graft_operator.cluster.requests import merge

    cluster = api.open_api(arguments)
    found = naming.find(cluster, arguments.job)
    pausing.refuse_ended(found)
    workers = found.raw["spec"].get("workers") or {}
    check(arguments.workers, workers=workers, name=found.ref.name)
    if workers.get("desired", 1) == arguments.workers:
        print(screen.harmless(f"{found.label} unchanged"))
        return 0
    body = {"spec": {"replicas": arguments.workers}}
    cluster.send(merge(found.ref, body, subresource="scale", manager=api.MANAGER))
    print(screen.harmless(f"{found.label} scaled to {arguments.workers}"))
    screen.say(f"graft: {meaning(arguments.workers, workers)}")
    return 0


def check(wanted: int, *, workers: dict[str, Any], name: str) -> None:
    """Raises ConfigError for a size that the job cannot have."""
    most = workers.get("max")
    if wanted < 1:
        hint = f"`graft stop {name}` saves a checkpoint and releases all pods"
        raise ConfigError(f"{wanted} workers cannot train", hint=hint)
    if most is not None and wanted > most:
        hint = f"at most {most} here; workers.max can be raised in the file: graft submit"
        raise ConfigError(f"{wanted} workers are more than workers.max of {most}", hint=hint)


def meaning(wanted: int, workers: dict[str, Any]) -> str:
    """What the new size leads to."""
    least, most = workers.get("min", 1), workers.get("max")
    if most is None:
        return "the job has a fixed size: a new attempt of the new size starts from a checkpoint"
    if wanted < least:
        return f"that is below workers.min: the job goes on with {least}"
    return f"workers join or leave while the job trains, between {least} and {most}"
