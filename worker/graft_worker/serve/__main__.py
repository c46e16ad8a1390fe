"""`python -m graft_worker.serve ARTEFACT`: the server of a pod, which logs and never gives up."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from graft_api.errors import GraftError
from graft_api.vocabulary import ExitCode
from graft_worker.report import log as logs
from graft_worker.serve import arguments
from graft_worker.serve.server import Up, serve
from graft_worker.serve.settings import Ending

LINGER = 5.0  # seconds until routers have learnt that a pod is about to end

log = logging.getLogger("graft_worker.serve")


def main(argv: Sequence[str]) -> int:
    """The exit code of the server."""
    parser = argparse.ArgumentParser(prog="python -m graft_worker.serve", description=__doc__)
    arguments.add_arguments(parser)
    parser.add_argument(
        "--linger",
        type=float,
        default=LINGER,
        metavar="SECONDS",
        help=f"of new requests after SIGTERM (default: {LINGER:g})",
    )
    given = parser.parse_args(argv)
    logs.configure(sys.stderr)
    ending = Ending(linger=given.linger)
    settings = arguments.settings(given, artefact=Path(given.artefact), ending=ending)
    try:
        serve(replace(settings, stay=True), ready=_told)
    except GraftError as error:
        log.error("%s", error)
        return error.exit_code
    return ExitCode.DONE


def _told(up: Up) -> None:
    served = up.served
    log.info(
        "%s %s ready on %s:%d, metrics on port %d: %s, %d tokens a batch, loaded in %.1f s",
        served.name,
        served.version,
        *up.address,
        up.metrics[1],
        served.engine.dtype,
        served.budget,
        served.seconds,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
