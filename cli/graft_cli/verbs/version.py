"""Prints the versions of graft, Python and torch."""

from __future__ import annotations

import argparse
import platform
import sys
from importlib import metadata

from graft_api.vocabulary import API_VERSION

EXAMPLE = "example:\n  graft version"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`graft version` takes no arguments."""
    parser.set_defaults()


def run(_arguments: argparse.Namespace) -> int:
    """Prints one line per part; nothing is imported to find out."""
    lines = {
        "graft": installed("graft-operator"),
        "contract": API_VERSION,
        "python": platform.python_version(),
        "torch": installed("torch"),
    }
    sys.stdout.write("".join(f"{name:9} {version}\n" for name, version in lines.items()))
    return 0


def installed(distribution: str) -> str:
    """The version of a distribution, or that it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
