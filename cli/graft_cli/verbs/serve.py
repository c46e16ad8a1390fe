"""Answers requests over HTTP with a published model, on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from graft_api.errors import ConfigError
from graft_cli import inputs, screen

if TYPE_CHECKING:
    from graft_worker.serve.server import Up

EXAMPLE = """\
examples:
  graft serve graft-store/artefacts/sha256-...
  curl 127.0.0.1:8000/v1/predict -H 'content-type: application/json' -d '{"texts": ["well done"]}'
  graft serve ARTEFACT --port 9000 --metrics-port 9400 --max-batch 16
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft serve`."""
    from graft_worker.serve import arguments

    arguments.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serves until it is told to end, and then finishes what it accepted."""
    from graft_worker.serve.arguments import settings
    from graft_worker.serve.settings import Ending

    folder = inputs.artefact(arguments.artefact)
    told = settings(arguments, artefact=folder, ending=Ending())
    try:
        from graft_worker.serve.server import serve
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"graft serve needs {error.name}, which is not installed",
            hint="pip install 'graft-operator[serve]'",
        ) from None
    screen.say(f"graft: loading {folder}")
    serve(told, ready=_told)
    screen.say("graft: every accepted request is answered; ended")
    return 0


def _told(up: Up) -> None:
    served, (host, port) = up.served, up.address
    place = f"[{host}]" if ":" in host else host
    field = '"pairs": [["...", "..."]]' if served.reader.least > 1 else '"texts": ["..."]'
    screen.say(
        f"graft: serving {served.name} (version {served.version}, {served.engine.name} "
        f"{served.engine.dtype}) at http://{place}:{port}\n"
        f"  try: curl http://{place}:{port}/v1/predict "
        f"-H 'content-type: application/json' -d '{{{field}}}'\n"
        f"  metrics: http://{place}:{up.metrics[1]}/metrics; Ctrl-C ends it"
    )
