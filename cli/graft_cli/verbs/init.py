"""Writes a commented job file that runs as it is, on data shipped with graft.

Without --output it goes to stdout. A file that exists is never overwritten.
"""

from __future__ import annotations

import argparse
import sys
from importlib import resources
from pathlib import Path

from graft_api.errors import ConfigError
from graft_cli import screen

EXAMPLE = """\
examples:
  graft init text_classify --output job.yaml
  graft run job.yaml
"""
APPS = ("text_classify", "text_match")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `graft init`."""
    parser.add_argument("app", metavar="APP", choices=APPS, help=" or ".join(APPS))
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="file to write; default: stdout"
    )


def run(arguments: argparse.Namespace) -> int:
    """Writes the job file."""
    text = template(arguments.app)
    if arguments.output is None:
        sys.stdout.write(text)
        return 0
    _create(arguments.output, text)
    screen.say(f"graft: wrote {arguments.output}; next:\n  graft run {arguments.output}")
    return 0


def template(app: str) -> str:
    """The commented job file of an app."""
    file = resources.files("graft_cli") / "templates" / f"{app}.yaml"
    return file.read_text(encoding="utf-8")


def _create(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        hint = "name another file, or move that one away"
        raise ConfigError(f"{path}: exists already and is left as it is", hint=hint) from None
    except OSError as error:
        hint = "name a file in a folder that you may write to"
        raise ConfigError(f"{path}: cannot be written: {error.strerror}", hint=hint) from None
